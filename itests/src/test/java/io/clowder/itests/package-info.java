// SPDX-License-Identifier: Apache-2.0
/**
 * The bundles together, in real frameworks and real processes.
 *
 * <pre>
 *   ManifestIT          what the jars say of themselves
 *   ServicesIT          one node in a container of Pax Exam: services and shell commands
 *   BundleLifecycleIT   three frameworks, load, and bundles that are stopped, updated, refreshed
 *   FailureIT           three frameworks: failure detectors, their events, what they can be told
 *   TaskIT              three frameworks: tasks, while whatever runs them comes and goes
 *   RefreshLeakIT       one framework, 200 refreshes: nothing is left behind
 *   ProcessIT           the distribution: three processes, leaders killed under load
 *   FailureProcessIT    the distribution: processes that are killed and frozen, and suspected
 *   TaskProcessIT       the distribution: processes that are killed and frozen in the middle of tasks
 *   DetectionTimesIT    the distribution: how long that takes, when it is asked for
 *   BadInputIT          the distribution: wrong words, too few nodes, damaged files
 * </pre>
 *
 * <p>Services of a framework are reached through a {@link io.clowder.itests.probe.Probe}: a bundle
 * made of the package {@code inside}, which talks to the services in their own class space and to
 * the test by types that the framework lends it from the class path.
 */
@NullMarked
package io.clowder.itests;

import org.jspecify.annotations.NullMarked;
