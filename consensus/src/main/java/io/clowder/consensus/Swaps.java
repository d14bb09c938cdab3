// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.Address;
import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Node;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.Successor;
import io.clowder.api.consensus.Swap;
import io.clowder.api.protocol.ConsensusProtocol;
import io.clowder.api.runtime.Completions;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Swaps that were asked for on this node, one at a time, and routine ones; and what this node says
 * to others that ask whether it could take part. On the group's thread.
 */
final class Swaps implements SwapRequest.Road {
  private static final Logger log = LoggerFactory.getLogger(Swaps.class);
  private static final Duration ROLL_DEADLINE = Duration.ofSeconds(60);

  private final GroupSetting setting;
  private final Node node;
  private final Environment environment;
  private final Round round;
  private final Parts parts;
  private final Consumer<Runnable> inbox;
  private final Supplier<String> because;

  private @Nullable SwapRequest under;
  private long rolledAt;

  /** The parts of the group that it needs. */
  record Parts(
      ReplicatedState state,
      Reports reports,
      Router router,
      Reads reads,
      Postbox postbox,
      Acquaintances acquaintances,
      Completions completions,
      Passage passage,
      Map<String, ConsensusProtocol> providers) {}

  /**
   * No swap yet.
   *
   * @param inbox runs tasks on the group's thread
   * @param because says why nothing moves
   */
  Swaps(
      GroupSetting setting,
      Node node,
      Environment environment,
      Round round,
      Parts parts,
      Consumer<Runnable> inbox,
      Supplier<String> because) {
    this.setting = setting;
    this.node = node;
    this.environment = environment;
    this.round = round;
    this.parts = parts;
    this.inbox = inbox;
    this.because = because;
    rolledAt = round.now();
  }

  boolean isEmpty() {
    return under == null;
  }

  /** Begins a swap, or refuses it. */
  void begin(
      Successor successor,
      Consumer<String> progress,
      long deadline,
      CompletableFuture<Swap> result) {
    try {
      if (under != null && !under.isOver()) {
        throw CoordinationException.refused(
            Reason.CONFLICT, "another swap was begun on this node and is not over");
      }
      under =
          new SwapRequest(
              successor,
              progress,
              round.now(),
              deadline,
              result,
              this,
              parts.router.ticket(),
              environment.random().nextLong());
      round.tickNow();
    } catch (CoordinationException e) {
      parts.completions.fail(result, e);
    }
  }

  /** Does what is due. */
  void tick() {
    SwapRequest request = under;
    if (request != null) {
      request.tick(round.now());
      if (request.isOver()) {
        under = null;
        parts.passage.keepLinks();
      }
    } else if (isRollDue()) {
      rolledAt = round.now();
      begin(
          Successor.same(),
          line -> log.info("group {}: routine swap: {}", setting.name(), line),
          GroupService.instant(environment, ROLL_DEADLINE),
          new CompletableFuture<>());
    }
  }

  private boolean isRollDue() {
    long latest = Math.max(rolledAt, parts.passage.since());
    return setting.rollMillis() > 0
        && parts.router.leads()
        && parts.state.pending() == null
        && round.now() - latest > setting.rollMillis() * 1_000_000L;
  }

  /** The group stops. */
  void fail(String message) {
    if (under != null) {
      under.fail(Reason.UNAVAILABLE, Outcome.MAY_HAVE_HAPPENED, message);
      under = null;
    }
  }

  /** What was prepared will not be. */
  void abandoned(Segment next, String reason) {
    if (under != null) {
      under.abandoned(next, reason);
    }
  }

  /** A member answered. */
  void answered(NodeId from, long directory, GroupMessage.Answer answer) {
    if (under != null) {
      under.answered(from, directory, answer, round.now());
    }
  }

  @Override
  public boolean provides(String protocol) {
    return parts.providers.containsKey(protocol);
  }

  @Override
  public String lack(
      String protocol, SortedMap<String, String> parameters, Collection<NodeId> members) {
    ConsensusProtocol provider = parts.providers.get(protocol);
    if (provider == null) {
      return "no provider of protocol '" + protocol + "' is active";
    }
    try {
      provider.check(List.copyOf(members), parameters);
      return "";
    } catch (IllegalArgumentException e) {
      return String.valueOf(e.getMessage());
    }
  }

  @Override
  public ReplicatedState state() {
    return parts.state;
  }

  @Override
  public Reports reports() {
    return parts.reports;
  }

  @Override
  public NodeId self() {
    return node.id();
  }

  @Override
  public void send(NodeId to, GroupMessage message) {
    parts.postbox.send(to, message);
  }

  @Override
  public void bring(Envelope envelope) {
    parts.router.bring(envelope);
  }

  @Override
  public void meet(Map<NodeId, Address> nodes) {
    parts.acquaintances.meet(nodes);
  }

  @Override
  public void probe(long until, LongConsumer confirmed) {
    CompletableFuture<byte[]> done = new CompletableFuture<>();
    parts.reads.add(new Reads.Query(null, new byte[0], until, done));
    var unused = done.thenRun(() -> inbox.accept(() -> confirmed.accept(round.now())));
  }

  @Override
  public long lastCommandAt() {
    return parts.passage.lastCommandAt();
  }

  @Override
  public String because() {
    return because.get();
  }

  @Override
  public Completions completions() {
    return parts.completions;
  }
}
