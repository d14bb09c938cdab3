// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.Address;
import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.transport.Transport;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class SimulatedNetworkTest {
  private static final long SECOND = 1_000_000_000;

  /** Three computers, each of which writes down what it hears. */
  private static final class Party {
    static final Set<NodeId> ALL = Set.of(new NodeId("n1"), new NodeId("n2"), new NodeId("n3"));

    final Function<NodeId, Set<NodeId>> members;
    final World world;
    final SimulatedNetwork network;
    final List<Computer> computers = new ArrayList<>();
    final TreeMap<NodeId, Transport> transports = new TreeMap<>();
    final TreeMap<NodeId, List<String>> heard = new TreeMap<>();

    Party(long seed) {
      this(seed, id -> ALL);
    }

    Party(long seed, Function<NodeId, Set<NodeId>> members) {
      this.members = members;
      world = new World(seed);
      network = new SimulatedNetwork(world);
      for (int i = 1; i <= 3; i++) {
        computers.add(new Computer(world, network, new NodeId("n" + i), this::boot));
      }
      computers.forEach(Computer::start);
      world.runUntil(SECOND);
    }

    private void boot(Computer computer) {
      var transport =
          network.attach(computer.id(), computer.process(), members.apply(computer.id()));
      List<String> log = new ArrayList<>();
      heard.put(computer.id(), log);
      transports.put(computer.id(), transport);
      transport.listen(
          "topic",
          new Transport.Receiver() {
            @Override
            public void receive(NodeId from, ByteBuffer payload) {
              log.add(from + ":" + payload.getInt());
            }

            @Override
            public void connected(NodeId peer) {
              log.add("+" + peer);
            }

            @Override
            public void disconnected(NodeId peer) {
              log.add("-" + peer);
            }
          });
    }

    NodeId id(int number) {
      return computers.get(number - 1).id();
    }

    boolean send(int from, int to, int value) {
      return transports
          .get(id(from))
          .send(id(to), "topic", ByteBuffer.allocate(4).putInt(value).flip());
    }

    List<String> heard(int number) {
      return heard.get(id(number));
    }

    Transport.Registration meet(int who, int whom, int port) {
      return transports.get(id(who)).meet(id(whom), new Address("127.0.0.1", port));
    }

    List<NodeId> peers(int number) {
      return transports.get(id(number)).links().stream().map(Transport.Link::peer).toList();
    }

    void forget() {
      heard.values().forEach(List::clear);
    }

    void run(long nanos) {
      world.runUntil(world.now() + nanos);
    }
  }

  @Test
  void allConnectAndMessagesArriveInOrder() {
    var party = new Party(1);
    assertEquals(List.of("+n2", "+n3"), party.heard(1).stream().sorted().toList());
    assertTrue(party.transports.get(party.id(1)).links().stream().allMatch(Transport.Link::up));
    party.forget();
    List<String> expected = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      assertTrue(party.send(1, 2, i));
      expected.add("n1:" + i);
    }
    assertTrue(party.send(1, 1, 7));
    party.run(SECOND);
    assertEquals(expected, party.heard(2));
    assertEquals(List.of("n1:7"), party.heard(1));
  }

  @Test
  void aDeadPeerIsNoticedAndComesBack() {
    var party = new Party(2);
    party.forget();
    party.computers.get(1).kill();
    party.run(3 * SECOND);
    assertEquals(List.of("-n2"), party.heard(1));
    assertFalse(party.send(1, 2, 1));
    party.computers.get(1).start();
    party.run(SECOND);
    assertEquals(List.of("-n2", "+n2"), party.heard(1));
    assertTrue(party.send(1, 2, 2));
    party.run(SECOND);
    assertTrue(party.heard(2).contains("n1:2"), party.heard(2)::toString);
  }

  @Test
  void aBlockedDirectionLetsNothingThroughAndTheOtherDoes() {
    for (long seed = 1; seed < 20; seed++) {
      var party = new Party(seed);
      party.forget();
      party.network.block(party.id(1), party.id(2));
      party.send(1, 2, 1);
      party.send(2, 1, 2);
      party.run(40_000_000);
      assertEquals(List.of(), party.heard(2));
      assertEquals(List.of("n2:2"), party.heard(1));
      party.run(10 * SECOND);
      assertFalse(party.heard(2).contains("n1:1"));
      party.network.unblockAll();
      party.run(SECOND);
      assertTrue(party.send(1, 2, 3));
      assertTrue(party.send(2, 1, 4));
      party.run(SECOND);
      assertEquals("n1:3", party.heard(2).get(party.heard(2).size() - 1));
      assertEquals("n2:4", party.heard(1).get(party.heard(1).size() - 1));
    }
  }

  @Test
  void badWeatherLosesDoublesAndReorders() {
    var party = new Party(3);
    party.forget();
    party.network.setWeather(new Weather(1_000, 1_000_000, 0.1, 0.1, 0.3));
    for (int i = 0; i < 1_000; i++) {
      party.send(1, 2, i);
    }
    party.run(SECOND);
    var heard = party.heard(2);
    var distinct = heard.stream().distinct().count();
    assertTrue(distinct < 950 && distinct > 850, "arrived: " + distinct);
    assertTrue(heard.size() > distinct + 50, "doubled: " + heard.size());
    int overtaken = 0;
    int largest = -1;
    for (String message : heard) {
      int value = Integer.parseInt(message.substring(3));
      overtaken += value < largest ? 1 : 0;
      largest = Math.max(largest, value);
    }
    assertTrue(overtaken > 100, "overtaken: " + overtaken);
  }

  @Test
  void queuesAreBounded() {
    var party = new Party(4);
    party.computers.get(1).process().pause();
    int taken = 0;
    while (party
        .transports
        .get(party.id(1))
        .send(party.id(2), "topic", ByteBuffer.allocate(1 << 20))) {
      taken++;
    }
    assertEquals(Limits.PEER_QUEUE_BYTES >> 20, taken);
    party.computers.get(1).process().resume();
    party.run(SECOND);
    assertTrue(party.send(1, 2, 1));
  }

  @Test
  void oneListenerForEachTopic() {
    var party = new Party(5);
    var transport = party.transports.get(party.id(1));
    Transport.Receiver receiver = (from, payload) -> {};
    assertThrows(IllegalStateException.class, () -> transport.listen("topic", receiver));
    transport.listen("other", receiver).close();
    transport.listen("other", receiver).close();
  }

  /** n1 and n2 know each other; n3 knows all. */
  private static Party stranger(long seed) {
    return new Party(
        seed,
        id -> id.value().equals("n3") ? Party.ALL : Set.of(new NodeId("n1"), new NodeId("n2")));
  }

  @Test
  void whoIsNeitherConfiguredNorMetIsNotConnected() {
    var party = stranger(6);
    assertEquals(List.of("+n2"), party.heard(1));
    assertEquals(List.of(), party.heard(3));
    assertFalse(party.send(1, 3, 1));
    assertFalse(party.send(3, 1, 1));
    assertEquals(List.of(party.id(2)), party.peers(1));
    assertEquals(List.of(party.id(1), party.id(2)), party.peers(3));
  }

  @Test
  void nodesThatMeetAreConnectedUntilTheLastRegistrationIsClosed() {
    for (long seed = 1; seed < 20; seed++) {
      var party = stranger(seed);
      party.forget();
      var first = party.meet(1, 3, 7000);
      var second = party.meet(1, 3, 7000);
      party.run(SECOND);
      assertEquals(List.of("+n3"), party.heard(1));
      assertEquals(List.of("+n1"), party.heard(3));
      assertEquals(List.of(party.id(2), party.id(3)), party.peers(1));
      assertTrue(party.send(1, 3, 1) && party.send(3, 1, 2));
      first.close();
      first.close();
      party.run(SECOND);
      assertEquals(List.of("+n3", "n3:2"), party.heard(1));
      assertTrue(party.send(1, 3, 3));
      party.run(SECOND);

      second.close();
      assertFalse(party.send(1, 3, 4));
      assertEquals(List.of(party.id(2)), party.peers(1));
      party.run(10 * SECOND);
      assertFalse(party.send(3, 1, 5));
      assertEquals(List.of("+n3", "n3:2", "-n3"), party.heard(1));
      assertEquals(List.of("+n1", "n1:1", "n1:3", "-n1"), party.heard(3));

      party.meet(1, 3, 7000);
      party.run(SECOND);
      assertTrue(party.send(1, 3, 6) && party.send(3, 1, 7));
    }
  }

  @Test
  void meetingAgainAtOnceOrElsewhereConnectsAgain() {
    for (long seed = 1; seed < 20; seed++) {
      var party = stranger(seed);
      var registration = party.meet(1, 3, 7000);
      party.run(SECOND);
      party.forget();
      registration.close();
      party.meet(1, 3, 7000);
      party.run(3 * SECOND);
      assertEquals(List.of("-n3", "+n3"), party.heard(1), "seed " + seed);
      assertTrue(party.send(1, 3, 1) && party.send(3, 1, 2));
      party.run(SECOND);

      party.forget();
      party.meet(1, 3, 7001);
      party.run(3 * SECOND);
      assertEquals(List.of("-n3", "+n3"), party.heard(1), "seed " + seed);
    }
  }

  @Test
  void aNewIncarnationHasMetNobody() {
    var party = stranger(7);
    var registration = party.meet(1, 3, 7000);
    party.run(SECOND);
    party.computers.get(0).kill();
    party.computers.get(0).start();
    party.run(5 * SECOND);
    assertEquals(List.of("+n2"), party.heard(1));
    assertEquals(
        List.of("+n1", "-n1"), party.heard(3).stream().filter(it -> it.contains("n1")).toList());
    var again = party.meet(1, 3, 7000);
    // Of the life before: it holds nothing any more.
    registration.close();
    party.run(SECOND);
    assertTrue(party.send(1, 3, 1));
    again.close();
    assertFalse(party.send(1, 3, 2));
  }

  @Test
  void meetingAMemberOrOneselfChangesNothing() {
    var party = stranger(8);
    party.forget();
    party.meet(1, 2, 7000).close();
    party.meet(1, 1, 7000).close();
    party.run(SECOND);
    assertTrue(party.send(1, 2, 1) && party.send(1, 1, 2));
    party.run(SECOND);
    assertEquals(List.of("n1:1"), party.heard(2));
    assertEquals(List.of("n1:2"), party.heard(1));
  }

  /** Every fault there is, for a while; then all is well again. The same seed, the same run. */
  @Test
  void theNemesisHealsAndRunsRepeat() {
    for (long seed = 1; seed <= 30; seed++) {
      long first = underFire(seed);
      assertEquals(first, underFire(seed));
      assertNotEquals(first, underFire(seed + 1_000));
    }
  }

  private static long underFire(long seed) {
    var party = new Party(seed);
    var nemesis =
        new Nemesis(
            party.world,
            party.network,
            party.computers,
            EnumSet.allOf(Nemesis.Fault.class),
            0.1,
            () -> null);
    nemesis.begin();
    chat(party, 0);
    party.run(20 * SECOND);
    nemesis.heal();
    party.run(5 * SECOND);
    party.forget();
    for (int from = 1; from <= 3; from++) {
      for (int to = 1; to <= 3; to++) {
        assertTrue(party.send(from, to, 77), "seed " + seed + ": " + from + " to " + to);
      }
    }
    party.run(SECOND);
    for (int to = 1; to <= 3; to++) {
      var heard = party.heard(to);
      for (int from = 1; from <= 3; from++) {
        assertTrue(heard.contains("n" + from + ":77"), "seed " + seed + ": " + heard);
      }
    }
    return party.world.eventHash();
  }

  private static void chat(Party party, int number) {
    party.world.after(
        5_000_000,
        "chat",
        () -> {
          party.send(1 + number % 3, 1 + number / 3 % 3, number);
          chat(party, number + 1);
        });
  }
}
