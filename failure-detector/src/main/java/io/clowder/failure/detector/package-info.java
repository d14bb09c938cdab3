// SPDX-License-Identifier: Apache-2.0
/**
 * Who is alive, who is suspected, who is gone.
 *
 * <pre>
 *   heartbeats, answers      ┌─────────┐ doubts  ┌─────────┐ suspicions ┌──────────┐
 *   traffic, refusals  ────► │ Monitor │ ──────► │ Inquiry │ ─────────► │ listeners│
 *   ticks                    └────┬────┘         └─────────┘            │ view     │
 *                                 │ Detector: fixed, phi, chen, adaptive, swim      │
 * </pre>
 */
@NullMarked
package io.clowder.failure.detector;

import org.jspecify.annotations.NullMarked;
