// SPDX-License-Identifier: Apache-2.0
/**
 * Who is alive, who is suspected, who is gone.
 *
 * <pre>
 *   messages, refusals   ┌────────┐      ┌──────────────────── Monitor ────────────────────┐
 *   ───────────────────► │ Sentry │ ───► │ Voice      what this node says, and when        │
 *   ◄─────────────────── │ thread │ ◄─── │ Detector   judges silence: adaptive, chen, ...  │
 *     heartbeats         └───┬────┘      │ Inquiry    asks after whom it doubts            │
 *                            │           │ Verdicts   who is suspected, on which evidence  │
 *        Announcements ◄─────┤           │ Stalls, SelfProbe   when this node did not run  │
 *        (listeners)         │           └─────────────────────────────────────────────────┘
 *        ViewKeeper ◄────────┘  the opinion in the log ──► ViewMachine ──► ClusterView
 * </pre>
 *
 * <p>{@link io.clowder.failure.detector.ClusterWatch} is the component; all that decides anything
 * is pure and takes its time and its chance as values: {@code Monitor} with what is in it, the
 * detectors ({@code Heartbeats} with an {@code Estimator} for each peer, {@code Swim}), and the
 * view ({@code ViewState}, {@code Tally}).
 *
 * <p>The order of evidence: what a node says of itself and what its machine says of it (goodbye,
 * not well, nobody listens) is certain and counts at once; silence is a doubt, which is asked after
 * before it becomes a suspicion; two suspicions that last take a node out of the view. Deadlines
 * are of the time in which this node ran.
 */
@NullMarked
package io.clowder.failure.detector;

import org.jspecify.annotations.NullMarked;
