// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.failure;

import io.clowder.api.NodeId;

/**
 * How well a peer is judged here, by the measures of Chen, Toueg and Aguilera, "On the Quality of
 * Service of Failure Detectors" (2002), section 2. A <em>mistake</em> is a suspicion that ended by
 * a sign of life of the same incarnation, and did not rest on the node's own word.
 *
 * @param node the peer
 * @param observedMillis for how long its present life was watched; the other figures are of all its
 *     lives that were seen
 * @param intervalMillis the time between two heartbeats that it is asked for; 0 for none
 * @param detectionMillis the time T_D from a crash to the suspicion, if it stopped now without a
 *     trace: at most so long; -1 where the algorithm does not say
 * @param heartbeats how many came in
 * @param lossRate share of those sent that did not, 0 to 1
 * @param jitterMillis standard deviation of the time between heartbeats
 * @param roundTripMillis the last measured time there and back; -1 if there is none
 * @param mistakes how often it was suspected wrongly
 * @param recurrenceMillis the mean time T_MR between two mistakes; infinite if there was none
 * @param durationMillis the mean time T_M that a mistake lasted; 0 if there was none
 * @param accuracy the share P_A of the time in which the node was well and was not suspected, 0 to
 *     1
 */
public record QosReport(
    NodeId node,
    long observedMillis,
    long intervalMillis,
    long detectionMillis,
    long heartbeats,
    double lossRate,
    double jitterMillis,
    double roundTripMillis,
    long mistakes,
    double recurrenceMillis,
    double durationMillis,
    double accuracy) {}
