// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.failure.DetectionGoal;

/**
 * What can be set about a node's watch.
 *
 * @param algorithm name of the algorithm that is wanted
 * @param goal what is wanted of it
 * @param stallMillis a time for which this node did not run counts if it is longer
 * @param reportMillis for how long a peer is suspected before the group is told
 * @param historySize how many events are kept
 */
record WatchSetting(
    String algorithm, DetectionGoal goal, int stallMillis, int reportMillis, int historySize) {}
