// SPDX-License-Identifier: Apache-2.0
/**
 * Leader election: one of those who stand in an election leads, everybody can see who, and whoever
 * led before does not any more when the next one leads: it was told so, or if it could not be, as a
 * candidate that hangs, its {@link io.clowder.api.election.Leadership#isLeader} is false.
 *
 * <p>Stand in an election by registering a {@link io.clowder.api.election.Candidate} or by
 * configuration {@code io.clowder.election~NAME}. The winner's node has two services while it
 * leads: a {@link io.clowder.api.election.Leadership}, and an OSGi {@code Condition} {@code
 * io.clowder.leader.NAME}, on which a component can depend to be active on the leader alone:
 *
 * <pre>
 *   &#64;Component &#64;SatisfyingConditionTarget("(osgi.condition.id=io.clowder.leader.billing)")
 * </pre>
 *
 * <p>An election is a lock, {@code election/NAME} of {@link io.clowder.api.lock}: the leader holds
 * it, the others wait for it. {@code LockService.promote} has the leader give way to another node;
 * {@code revoke} takes it away, perhaps before the leader has heard of it.
 *
 * <p>No election can stop a leader that was paused: pass {@link
 * io.clowder.api.election.Leadership#epoch} on with each write as a fencing token.
 */
@Export
@NullMarked
@Version("1.0.0")
package io.clowder.api.election;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
