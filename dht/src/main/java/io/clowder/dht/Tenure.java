// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import java.util.List;

/**
 * What this node has to do for a key that it owns.
 *
 * @param stamp which assignment it owns it by; others refuse what was decided by an older one
 * @param major of versions that it gives; 0 if they go by the clock
 * @param must who has to have a value, besides this node, before it is acknowledged
 * @param others who is to have it besides these
 * @param copies how many nodes have to have it at least, this one included
 * @param copiesMax how many can have it
 * @param toRead whom to ask for what they have before this node knows the newest value
 * @param reads how many of these have to answer
 * @param isSettled whether what this node has and need not ask for is on all that must have it
 */
record Tenure(
    long stamp,
    long major,
    List<Seat> must,
    List<Seat> others,
    int copies,
    int copiesMax,
    List<Seat> toRead,
    int reads,
    boolean isSettled) {}
