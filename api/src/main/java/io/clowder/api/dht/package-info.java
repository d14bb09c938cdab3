// SPDX-License-Identifier: Apache-2.0
/**
 * Keys on a ring of members, each with an owner and replicas on other nodes.
 *
 * <p>{@link io.clowder.api.dht.Dht} is for who keeps values in it or asks who owns a key, {@link
 * io.clowder.api.dht.DhtAdmin} for who looks after it, {@link io.clowder.api.dht.RangeListener} for
 * who wants to know what this node owns, {@link io.clowder.api.dht.PlacementPolicy} for who wants
 * to say which nodes keep what.
 *
 * <p>One interface, two ways to agree on who owns what: by views that consensus commits ({@link
 * io.clowder.api.dht.Dht.Mode#CONSISTENT}), or among the nodes alone, after Stoica and others,
 * "Chord" (SIGCOMM 2001), as Zave made it correct (TSE 2017) ({@link
 * io.clowder.api.dht.Dht.Mode#PEER}).
 */
@Export
@Version("1.0.0")
@NullMarked
package io.clowder.api.dht;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
