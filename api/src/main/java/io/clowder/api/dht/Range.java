// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.dht;

import io.clowder.api.NodeId;
import java.util.List;

/**
 * A part of the ring with one owner: what comes after {@code after} up to {@code upTo}, over zero
 * if need be; the whole ring if both are the same. Both are 40 hexadecimal digits.
 *
 * @param replicas the other nodes that keep it, as far as is known
 * @param epoch since which it is so; 0 in mode {@code peer}
 * @param isWhole whether it has all its copies, in full
 */
public record Range(
    String after, String upTo, NodeId owner, List<NodeId> replicas, long epoch, boolean isWhole) {}
