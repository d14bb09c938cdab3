// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator.kit;

import io.clowder.api.NodeId;
import io.clowder.api.protocol.Action;
import io.clowder.api.protocol.ConsensusProtocol;
import io.clowder.api.protocol.CoreSetting;
import io.clowder.api.protocol.Event;
import io.clowder.simulator.kit.Witness.Watched;
import io.clowder.simulator.toy.ToyNode;
import io.clowder.simulator.toy.ToyWorld;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Consumer;

/** What a few replicas must do for each other when only what the check wants goes wrong. */
final class GroupChecks {
  private static final CoreSetting.Timing TIMING = new CoreSetting.Timing(10_000, 100_000);
  private static final long PATIENCE = TIMING.electionNanos();

  /** Each check is made in so many worlds. */
  private static final int WORLDS = 10;

  private final ConsensusProtocol protocol;

  GroupChecks(ConsensusProtocol protocol) {
    this.protocol = protocol;
  }

  List<ProtocolKit.Check> checks() {
    return List.of(
        check("a lone member leads, decides, reads and comes back from its disk", 1, this::alone),
        check("law 2: a lone member decides nothing that is not on disk", 1, this::aloneHung),
        check("law 2: a leader counts itself when its disk has synced", 3, this::leaderHung),
        check("a leader decides a command of its own at once", 3, this::firstCommand),
        check("a leader decides every proposal once and in order", 3, this::inOrder),
        check("a barrier covers what was decided before a new leader", 5, this::barrierOfNewLeader),
        check("a leader that is cut off confirms no barrier", 3, this::barrierCutOff),
        check("a follower refuses and names the leader", 3, this::refusals),
        check("resign: another leads at once, and this one refuses", 3, this::resign),
        check("resign: without a successor it stops leading all the same", 3, this::resignAlone),
        check("campaign: leads before anybody's patience ends", 3, this::campaign),
        check("gone: somebody stands before patience ends when the leader died", 3, this::gone),
        check("gone: a leader that is well loses nothing by it", 3, this::wronglyGone),
        check("a laggard is given a snapshot, votes, and comes back from it", 3, this::laggard),
        check("anchors of one slot are the same everywhere", 3, this::anchors),
        check("a replica without a quorum says whom it waits for", 3, this::waiting));
  }

  private ProtocolKit.Check check(String name, int size, Consumer<Group> body) {
    return new ProtocolKit.Check(
        name,
        () -> {
          for (int seed = 1; seed <= WORLDS; seed++) {
            Group group = new Group(seed, size);
            try {
              body.accept(group);
            } catch (AssertionError e) {
              throw new AssertionError("world " + seed + ": " + e.getMessage(), e);
            }
          }
        });
  }

  /** A world, and what checks often do in it. */
  private final class Group {
    final Witness witness = new Witness(protocol, members -> new TreeMap<>());
    final ToyWorld<Watched> world;

    Group(int seed, int size) {
      world = new ToyWorld<>(witness, seed, size, TIMING);
    }

    ToyNode<Watched> node(int number) {
      return world.node(world.members().get(number - 1));
    }

    /** Starts it, and gives it time to find a leader. */
    ToyNode<Watched> begin() {
      world.start();
      world.pass(10 * PATIENCE);
      return world.leader();
    }

    List<ToyNode<Watched>> others(ToyNode<Watched> than) {
      List<ToyNode<Watched>> others = new ArrayList<>();
      for (NodeId id : world.members()) {
        if (!id.equals(than.id())) {
          others.add(world.node(id));
        }
      }
      return others;
    }

    byte[] propose(ToyNode<Watched> leader) {
      byte[] command = world.command();
      leader.step(new Event.Propose(1, List.of(command)));
      return command;
    }

    /** Has so many commands decided, one batch each. */
    void decide(int count) {
      for (int i = 0; i < count; i++) {
        byte[] command = propose(world.leader());
        world.pass(PATIENCE / 4);
        require(world.isDecided(command), "a leader does not get its proposal decided");
      }
    }

    /** A leader that is not {@code old}, in time. */
    ToyNode<Watched> successor(ToyNode<Watched> old, long time) {
      for (long step = 0; step < 50; step++) {
        world.pass(time / 50);
        for (ToyNode<Watched> node : others(old)) {
          if (node.leads()) {
            return node;
          }
        }
      }
      throw new AssertionError("nobody but " + old.id() + " leads after " + time + " ns");
    }
  }

  private void alone(Group group) {
    ToyNode<Watched> node = group.begin();
    group.decide(5);
    for (int life = 0; life < 3; life++) {
      node.barrier(7);
      group.world.pass(PATIENCE);
      require(!node.awaits(7), "a barrier is not answered");
      if (life > 0) {
        node.compact();
        group.world.pass(PATIENCE);
      }
      node.crash();
      node.start();
      group.world.pass(10 * PATIENCE);
      require(node.leads(), "it does not lead after a restart");
      group.decide(3);
    }
  }

  private void aloneHung(Group group) {
    ToyNode<Watched> node = group.node(1);
    node.hangDisk(true);
    group.world.start();
    group.world.pass(5 * PATIENCE);
    if (node.leads()) {
      group.propose(node);
    }
    group.world.pass(5 * PATIENCE);
    require(group.world.decidedAnywhere() == 0, "something is decided that no disk has");
    node.hangDisk(false);
    group.world.pass(5 * PATIENCE);
    group.decide(1);
  }

  private void leaderHung(Group group) {
    ToyNode<Watched> leader = group.begin();
    group.world.isolate(group.others(leader).get(1).id());
    group.decide(1);
    leader.hangDisk(true);
    long before = group.world.decidedAnywhere();
    group.propose(leader);
    group.world.pass(PATIENCE / 2);
    require(
        group.world.decidedAnywhere() == before,
        "decided by one follower and a leader whose disk hangs");
    leader.hangDisk(false);
    group.world.pass(PATIENCE / 2);
    require(group.world.decidedAnywhere() > before, "not decided when the disk is well again");
  }

  private void firstCommand(Group group) {
    ToyNode<Watched> leader = group.begin();
    require(group.world.decidedAnywhere() > 0, leader.id() + " leads, and nothing is decided");
    for (Life life : group.witness.lives()) {
      for (Life.Step step : life.steps) {
        for (Action action : step.actions()) {
          if (action instanceof Action.Decide decide) {
            boolean empty = decide.commands().stream().allMatch(it -> it.length == 0);
            require(empty, decide + ", though nobody has proposed anything");
          }
        }
      }
    }
  }

  private void inOrder(Group group) {
    ToyNode<Watched> leader = group.begin();
    List<byte[]> proposed = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      List<byte[]> batch = new ArrayList<>();
      for (int j = 0; j <= i % 3; j++) {
        batch.add(group.world.command());
      }
      leader.step(new Event.Propose(i, batch));
      proposed.addAll(batch);
      group.world.pass(i % 5 == 0 ? PATIENCE / 10 : 0);
    }
    group.world.pass(PATIENCE);
    for (Life life : group.witness.lives()) {
      List<byte[]> decided = new ArrayList<>();
      for (Life.Step step : life.steps) {
        for (Action action : step.actions()) {
          if (action instanceof Action.Decide decide) {
            decided.addAll(decide.commands());
          }
        }
      }
      decided.removeIf(command -> Arrays.equals(command, new byte[0]));
      require(
          Witness.same(proposed, decided),
          life.setting.self() + ": " + proposed.size() + " proposed, decided " + decided.size());
    }
  }

  private void barrierOfNewLeader(Group group) {
    ToyNode<Watched> leader = group.begin();
    for (int round = 0; round < 4; round++) {
      for (int i = 0; i < 5; i++) {
        group.propose(leader);
        group.world.pass(PATIENCE / 100);
      }
      leader.crash();
      ToyNode<Watched> next = group.successor(leader, 20 * PATIENCE);
      next.barrier(round);
      leader.start();
      group.world.pass(PATIENCE);
      require(!next.awaits(round) || !next.leads(), "a leader does not answer a barrier");
      group.world.pass(10 * PATIENCE);
      leader = group.world.leader();
    }
  }

  private void barrierCutOff(Group group) {
    ToyNode<Watched> old = group.begin();
    group.world.isolate(old.id());
    ToyNode<Watched> next = group.successor(old, 20 * PATIENCE);
    byte[] command = group.propose(next);
    group.world.pass(PATIENCE);
    require(group.world.isDecided(command), "two of three do not get on");
    // A Ready of less than what is decided is an error of its own.
    old.barrier(1);
    group.world.pass(5 * PATIENCE);
    group.world.connect();
    group.world.pass(5 * PATIENCE);
    require(old.applied() == group.world.leader().applied(), "it does not come back");
  }

  private void refusals(Group group) {
    ToyNode<Watched> leader = group.begin();
    for (ToyNode<Watched> follower : group.others(leader)) {
      List<Action> answers = new ArrayList<>();
      follower.core().step(new Event.Propose(41, List.of(group.world.command())), answers::add);
      follower.core().step(new Event.Barrier(42), answers::add);
      answers.removeIf(action -> !(action instanceof Action.Refuse));
      require(
          answers.equals(
              List.of(new Action.Refuse(41, leader.id()), new Action.Refuse(42, leader.id()))),
          follower.id() + " does not refuse both and name " + leader.id() + ": " + answers);
    }
  }

  private void resign(Group group) {
    ToyNode<Watched> old = group.begin();
    group.decide(3);
    long term = old.term();
    old.step(new Event.Resign());
    List<Action> answers = new ArrayList<>();
    old.core().step(new Event.Propose(41, List.of(group.world.command())), answers::add);
    require(
        answers.stream().anyMatch(action -> action instanceof Action.Refuse),
        "it takes proposals though it is to resign");
    ToyNode<Watched> next = group.successor(old, PATIENCE);
    group.world.pass(PATIENCE / 4);
    require(!old.leads() && next.term() > term, "the old leader leads on");
    group.decide(2);
  }

  private void resignAlone(Group group) {
    ToyNode<Watched> old = group.begin();
    group.world.isolate(old.id());
    old.step(new Event.Resign());
    group.world.pass(3 * PATIENCE);
    require(!old.leads(), "it leads on");
    group.world.connect();
    group.world.pass(10 * PATIENCE);
    group.decide(1);
  }

  private void campaign(Group group) {
    group.world.start();
    ToyNode<Watched> node = group.node(2);
    node.step(new Event.Campaign());
    group.world.pass(PATIENCE / 2);
    require(node.leads(), "it does not lead, though nobody is against it");
    group.decide(1);
    long term = node.term();
    group.node(1).step(new Event.Campaign());
    group.world.pass(5 * PATIENCE);
    require(
        node.leads() && node.term() == term, "a wish to lead deposes a leader that is well known");
  }

  private void gone(Group group) {
    ToyNode<Watched> old = group.begin();
    byte[] command = group.propose(old);
    group.world.pass(PATIENCE / 4);
    long term = old.term();
    old.crash();
    // What it had sent shows it alive.
    group.world.pass(PATIENCE / 4);
    for (ToyNode<Watched> node : group.others(old)) {
      node.step(new Event.Gone(old.id()));
    }
    group.world.pass(PATIENCE / 2);
    // Two who stand at the same time may keep each other from being elected at once.
    require(group.others(old).stream().anyMatch(it -> it.term() > term), "nobody stands");
    group.world.pass(10 * PATIENCE);
    require(group.world.isDecided(command), "what was proposed in time is lost");
    group.decide(2);
  }

  private void wronglyGone(Group group) {
    ToyNode<Watched> leader = group.begin();
    ToyNode<Watched> other = group.others(leader).get(0);
    long term = leader.term();
    // The others hear the leader, so that one that doubts it is alone.
    other.step(new Event.Gone(leader.id()));
    other.step(new Event.Gone(group.others(leader).get(1).id()));
    leader.step(new Event.Gone(leader.id()));
    group.world.pass(5 * PATIENCE);
    require(leader.leads() && leader.term() == term, "one that is wrong deposes the leader");
    for (ToyNode<Watched> node : group.others(leader)) {
      node.step(new Event.Gone(leader.id()));
    }
    group.world.pass(5 * PATIENCE);
    group.decide(2);
  }

  private void laggard(Group group) {
    ToyNode<Watched> leader = group.begin();
    ToyNode<Watched> laggard = group.others(leader).get(0);
    laggard.crash();
    group.decide(30);
    for (ToyNode<Watched> node :
        List.of(group.others(laggard).get(0), group.others(laggard).get(1))) {
      node.compact();
      group.world.pass(PATIENCE);
      node.crash();
      node.start();
      group.world.pass(10 * PATIENCE);
    }
    group.decide(3);
    laggard.start();
    group.world.pass(10 * PATIENCE);
    require(
        laggard.applied() == group.world.decidedAnywhere(),
        laggard.id() + " is at " + laggard.applied() + ", not " + group.world.decidedAnywhere());
    boolean installed =
        group.witness.lives().stream()
            .flatMap(life -> life.steps.stream())
            .anyMatch(step -> step.event() instanceof Event.Installed);
    boolean reopened =
        group.witness.lives().stream()
            .anyMatch(
                life ->
                    life.setting.self().equals(laggard.id()) && life.setting.snapshotSlot() > 0);
    require(installed || reopened, "nobody asked for a snapshot for " + laggard.id());
    laggard.crash();
    laggard.start();
    group.world.pass(PATIENCE);
    ToyNode<Watched> old = group.world.leader();
    if (!old.id().equals(laggard.id())) {
      // Now nothing goes without the one that had the snapshot.
      group.world.isolate(old.id());
      ToyNode<Watched> next = group.successor(old, 20 * PATIENCE);
      byte[] command = group.propose(next);
      group.world.pass(PATIENCE);
      require(group.world.isDecided(command), "the one with the snapshot does not vote");
    }
  }

  private void anchors(Group group) {
    ToyNode<Watched> leader = group.begin();
    group.decide(5);
    leader.step(new Event.Resign());
    group.world.pass(10 * PATIENCE);
    group.decide(5);
    group.world.pass(PATIENCE);
    long slot = leader.applied();
    byte[] anchor = leader.core().anchor(slot);
    for (ToyNode<Watched> node : group.others(leader)) {
      require(node.applied() == slot, "they are not level");
      require(Arrays.equals(anchor, node.core().anchor(slot)), node.id() + " has another anchor");
    }
  }

  private void waiting(Group group) {
    ToyNode<Watched> leader = group.begin();
    group.others(leader).forEach(ToyNode::crash);
    group.world.pass(20 * PATIENCE);
    String waiting = leader.core().view().waiting();
    for (ToyNode<Watched> dead : group.others(leader)) {
      require(
          waiting.contains(dead.id().value()),
          "waits for " + dead.id() + ", but says '" + waiting + "'");
    }
  }

  private static void require(boolean condition, String what) {
    if (!condition) {
      throw new AssertionError(what);
    }
  }
}
