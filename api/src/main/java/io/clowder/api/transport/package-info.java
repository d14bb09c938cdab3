// SPDX-License-Identifier: Apache-2.0
/**
 * Messages between the nodes of one cluster.
 *
 * <p>Delivery is what a network gives: messages may be lost, never altered, and between two
 * connected nodes they arrive in the order they were sent; urgent ones have an order, and a
 * connection, of their own. What is sent to a topic reaches the one receiver that listens to it on
 * the other node.
 */
@Export
@NullMarked
@Version("1.0.0")
package io.clowder.api.transport;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
