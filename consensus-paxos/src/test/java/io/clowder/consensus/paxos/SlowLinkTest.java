// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.paxos;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.protocol.Action;
import io.clowder.api.protocol.CoreSetting;
import io.clowder.api.protocol.Event;
import io.clowder.api.protocol.Message;
import io.clowder.api.protocol.ProtocolCore;
import io.clowder.api.wire.WireWriter;
import io.clowder.consensus.paxos.PaxosMessage.Voted;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Two members on a link of so many bytes in a millisecond of virtual time, on which messages wait
 * for each other: the pages of phase 1 must not be asked for faster than they come.
 */
class SlowLinkTest {
  private static final NodeId N1 = new NodeId("n1");
  private static final NodeId N2 = new NodeId("n2");
  private static final CoreSetting.Timing TIMING = new CoreSetting.Timing(50, 400);

  private final Map<NodeId, ProtocolCore> cores = new TreeMap<>();

  /** Who is not in it has no clock, and never stands. */
  private final Map<NodeId, Long> alarms = new TreeMap<>(Map.of(N1, 0L, N2, 0L));

  private final Map<NodeId, Long> busyUntil = new TreeMap<>(Map.of(N1, 0L, N2, 0L));
  private final PriorityQueue<Flight> flights =
      new PriorityQueue<>(Comparator.comparingLong(Flight::at).thenComparingLong(Flight::order));
  private long now;
  private long order;
  private long bytesSent;

  private record Flight(long at, long order, NodeId from, NodeId to, Message message) {}

  private static ProtocolCore open(NodeId self, List<Message> records) {
    SplittableRandom random = new SplittableRandom(self.equals(N1) ? 7 : 8);
    return new PaxosProtocol()
        .open(
            new CoreSetting(
                0, self, List.of(N1, N2), new TreeMap<>(), 0, new byte[0], TIMING, random),
            records);
  }

  private static List<Message> votes(int slots, int bytes) {
    List<Message> records = new ArrayList<>();
    for (int slot = 1; slot <= slots; slot++) {
      Commands command = new Commands(new byte[][] {new byte[bytes]});
      records.add(new Voted(new Ballot(1, 1), slot, 0, command));
    }
    return records;
  }

  /** A page is of one slot, and takes from a fifth of a heartbeat to almost two of them. */
  @ParameterizedTest
  @CsvSource({"125000", "25000", "12500"})
  void aCandidateWithoutVotesIsToldOfLargeOnes(int bytesPerMilli) {
    cores.put(N1, open(N1, List.of()));
    cores.put(N2, open(N2, votes(8, 1 << 20)));
    alarms.remove(N2);
    run(bytesPerMilli, 8, 10_000);
    assertTrue(bytesSent < 20L << 20, bytesSent + " bytes were sent for 8 MiB, twice");
  }

  /** Both restart with all votes, and know nothing to be chosen. */
  @ParameterizedTest
  @CsvSource({"1250000", "125000", "12500", "6250"})
  void membersThatHoldTheSameVotesTellEachOther(int bytesPerMilli) {
    cores.put(N1, open(N1, votes(2000, 16_000)));
    cores.put(N2, open(N2, votes(2000, 16_000)));
    run(bytesPerMilli, 2000, 40_000);
    assertTrue(bytesSent < 80_000_000, bytesSent + " bytes were sent for 32 MB, twice");
  }

  /** Until one member has decided so many slots and one more. */
  private void run(int bytesPerMilli, int slots, long limit) {
    while (cores.values().stream().allMatch(it -> it.view().decided() <= slots)) {
      assertTrue(now < limit, () -> "after " + limit + " ms: " + cores.get(N1).view());
      for (NodeId node : List.of(N1, N2)) {
        for (Event event : due(node)) {
          step(node, event, bytesPerMilli);
        }
      }
      if (flights.isEmpty() || flights.peek().at() > now) {
        now++;
      }
    }
  }

  private List<Event> due(NodeId node) {
    List<Event> events = new ArrayList<>();
    while (!flights.isEmpty() && flights.peek().at() <= now && flights.peek().to().equals(node)) {
      Flight flight = flights.remove();
      events.add(new Event.Receive(flight.from(), flight.message()));
    }
    Long alarm = alarms.get(node);
    if (alarm != null && (alarm <= now || !events.isEmpty())) {
      alarms.put(node, alarm <= now ? Long.MAX_VALUE : alarm);
      events.add(0, new Event.Clock(now));
    }
    return events;
  }

  private void step(NodeId node, Event event, int bytesPerMilli) {
    cores
        .get(node)
        .step(
            event,
            action -> {
              if (action instanceof Action.WakeAt alarm) {
                alarms.replace(node, alarm.nanos());
              } else if (action instanceof Action.Send send) {
                flights.add(
                    new Flight(
                        arrival(node, send, bytesPerMilli),
                        order++,
                        node,
                        send.to(),
                        send.message()));
              }
            });
  }

  private long arrival(NodeId node, Action.Send send, int bytesPerMilli) {
    if (send.to().equals(node)) {
      return now;
    }
    WireWriter out = new WireWriter(1024);
    new PaxosCodec().write(send.message(), out);
    bytesSent += out.size();
    long at = Math.max(busyUntil.get(node), now) + 1 + out.size() / bytesPerMilli;
    busyUntil.put(node, at);
    return at;
  }
}
