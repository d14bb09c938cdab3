// SPDX-License-Identifier: Apache-2.0
/**
 * Who is alive, who is suspected, who is gone, and how well that is known.
 *
 * <p>Three layers. A {@link io.clowder.api.failure.DetectionAlgorithm} judges what this node hears
 * of each peer, or does not. What it doubts is asked once more, directly and through others, and
 * becomes a <em>suspicion</em> when nobody reaches it: see {@link
 * io.clowder.api.failure.FailureDetector} and {@link io.clowder.api.failure.FailureListener}. What
 * two nodes suspect for a while leaves the committed {@link io.clowder.api.failure.ClusterView}.
 *
 * <p>A suspicion is advice (an eventually perfect detector under partial synchrony: Chandra and
 * Toueg, "Unreliable Failure Detectors for Reliable Distributed Systems", 1996). Never let safety
 * depend on it: that is what epochs and fencing tokens are for.
 */
@Export
@NullMarked
@Version("1.0.0")
package io.clowder.api.failure;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
