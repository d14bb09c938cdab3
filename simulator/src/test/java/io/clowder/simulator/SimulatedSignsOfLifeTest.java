// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.CoordinationException;
import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.transport.Transport;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** What is urgent, who is gone and who was heard, on the network that is not real. */
class SimulatedSignsOfLifeTest {
  private static final long SECOND = 1_000_000_000;
  private static final NodeId N1 = new NodeId("n1");
  private static final NodeId N2 = new NodeId("n2");

  private final List<Computer> computers = new ArrayList<>();
  private final TreeMap<NodeId, Transport> transports = new TreeMap<>();
  private final List<String> heard1 = new ArrayList<>();
  private final List<String> heard2 = new ArrayList<>();
  private World world;
  private SimulatedNetwork network;

  /** Writes down what it hears, but for refusals. */
  private static class Log implements Transport.Receiver {
    final List<String> log;

    Log(List<String> log) {
      this.log = log;
    }

    @Override
    public void receive(NodeId from, ByteBuffer payload) {
      log.add(from + ":" + payload.getInt());
    }

    @Override
    public void disconnected(NodeId peer) {
      log.add("-" + peer);
    }
  }

  /** Refusals, too. */
  private static final class Curious extends Log {
    Curious(List<String> log) {
      super(log);
    }

    @Override
    public void refused(NodeId peer) {
      log.add("!" + peer);
    }
  }

  private void start(long seed, boolean curious) {
    computers.clear();
    heard1.clear();
    heard2.clear();
    world = new World(seed);
    network = new SimulatedNetwork(world);
    computers.add(new Computer(world, network, N1, it -> boot(it, heard1, curious)));
    computers.add(new Computer(world, network, N2, it -> boot(it, heard2, false)));
    computers.forEach(Computer::start);
    run(SECOND);
  }

  private void boot(Computer computer, List<String> log, boolean curious) {
    var transport = network.attach(computer.id(), computer.process());
    transports.put(computer.id(), transport);
    transport.listen("t", curious ? new Curious(log) : new Log(log));
  }

  private void run(long nanos) {
    world.runUntil(world.now() + nanos);
  }

  private long refusals() {
    return heard1.stream().filter("!n2"::equals).count();
  }

  private long silentNanos() {
    return transports.get(N1).links().get(0).silentNanos();
  }

  private static ByteBuffer number(int number) {
    return ByteBuffer.allocate(4).putInt(number).flip();
  }

  @Test
  void whatIsUrgentHasAnOrderAndAQueueOfItsOwn() {
    start(1, false);
    var transport = transports.get(N1);
    while (transport.send(N2, "t", ByteBuffer.allocate(1 << 20))) {
      // Until too much waits.
    }
    List<String> expected = new ArrayList<>();
    for (int i = 1; i <= 50; i++) {
      assertTrue(transport.sendUrgent(N2, "t", number(i)));
      expected.add("n1:" + i);
    }
    assertTrue(transport.sendUrgent(N1, "t", number(7)));
    run(SECOND);
    assertEquals(expected, heard2.stream().filter(it -> !it.equals("n1:0")).toList());
    assertTrue(heard2.indexOf("n1:1") < heard2.lastIndexOf("n1:0"), heard2::toString);
    assertEquals(List.of("n1:7"), heard1);

    var large = ByteBuffer.allocate(Limits.URGENT_BYTES + 1);
    var refused =
        assertThrows(CoordinationException.class, () -> transport.sendUrgent(N2, "t", large));
    assertEquals(CoordinationException.Reason.TOO_LARGE, refused.reason());
  }

  @Test
  void whatIsNotTakenIsAsItWas() {
    start(2, false);
    computers.get(1).kill();
    run(3 * SECOND);
    var payload = number(1);
    assertFalse(transports.get(N1).sendUrgent(N2, "t", payload));
    computers.get(1).start();
    run(SECOND);
    assertTrue(transports.get(N1).send(N2, "t", payload));
    run(SECOND);
    assertTrue(heard2.contains("n1:1"), heard2::toString);
  }

  @Test
  void aDeadProcessRefusesUntilItLives() {
    for (long seed = 1; seed <= 30; seed++) {
      start(seed, true);
      run(10 * SECOND);
      assertEquals(List.of(), heard1);
      computers.get(1).kill();
      run(3 * SECOND);
      assertEquals("-n2", heard1.get(0));
      assertTrue(refusals() >= 2, heard1::toString);
      run(10 * SECOND);
      assertTrue(refusals() >= 10, heard1::toString);
      computers.get(1).start();
      run(SECOND);
      heard1.clear();
      run(10 * SECOND);
      assertEquals(List.of(), heard1);
    }
  }

  @Test
  void aComputerThatIsOffOrCannotBeReachedRefusesNothing() {
    for (long seed = 1; seed <= 30; seed++) {
      start(seed, true);
      computers.get(1).powerOff(Loss.nothing());
      run(10 * SECOND);
      assertEquals(List.of("-n2"), heard1);
      computers.get(1).start();
      run(SECOND);
      heard1.clear();
      network.block(N2, N1);
      computers.get(1).kill();
      run(10 * SECOND);
      assertEquals(List.of("-n2"), heard1);
      network.unblockAll();
      run(10 * SECOND);
      assertTrue(refusals() >= 5, heard1::toString);
    }
  }

  @Test
  void whoeverComesLaterHearsOfTheDeadToo() {
    start(3, false);
    computers.get(1).kill();
    run(3 * SECOND);
    assertEquals(List.of("-n2"), heard1);
    List<String> late = new ArrayList<>();
    transports.get(N1).listen("late", new Curious(late));
    run(SECOND);
    assertEquals("!n2", late.get(0));
  }

  @Test
  void whoDoesNotWantToKnowRunsAsBefore() {
    start(4, false);
    computers.get(1).kill();
    run(5 * SECOND);
    long steps = world.steps();
    run(60 * SECOND);
    assertEquals(steps, world.steps());
  }

  @Test
  void aMessageEndsTheSilenceAndPingsBoundIt() {
    start(5, false);
    assertTrue(silentNanos() > 0 && silentNanos() <= SECOND);
    run(SECOND / 2);
    transports.get(N2).sendUrgent(N1, "t", number(1));
    run(SECOND / 10);
    assertTrue(silentNanos() < SECOND / 10, "" + silentNanos());
    run(60 * SECOND);
    assertEquals(SECOND, silentNanos());
    computers.get(1).process().pause();
    run(5 * SECOND);
    assertEquals(6 * SECOND, silentNanos());
  }
}
