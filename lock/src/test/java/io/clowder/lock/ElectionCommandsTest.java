// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.Limits;
import io.clowder.api.election.Candidate;
import io.clowder.api.election.Leadership;
import io.clowder.api.lock.Claim;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class ElectionCommandsTest {
  /** Completes at once: a command waits on the thread that would have to run it. */
  private final VirtualTimer timer = new VirtualTimer.Prompt();

  private final TestGroup group = new TestGroup();
  private final BundleLocks n1 = locks("n1");
  private final BundleLocks n2 = locks("n2");
  private final ElectionCommands commands = new ElectionCommands();

  ElectionCommandsTest() {
    commands.bindLocks(n1, Map.of());
  }

  private BundleLocks locks(String name) {
    TestGroup.Node node = group.node(name, timer);
    return new ReplicatedLocks(
            node,
            group.table,
            group.events,
            node.id,
            LockSetting.of(Duration.ofSeconds(2)),
            1,
            timer)
        .enter("io.clowder.lock");
  }

  /** A candidate whose services are what the commands find. */
  private void stand(String election, BundleLocks locks, boolean here) {
    Candidate candidate =
        new Candidate() {
          @Override
          public void elected(Leadership leadership) {}

          @Override
          public void deposed() {}
        };
    Candidacy.Registry registry =
        new Candidacy.Registry() {
          @Override
          public <S> Runnable register(Class<S> type, S service, Map<String, Object> properties) {
            if (!here || !(service instanceof Leadership leadership)) {
              return () -> {};
            }
            commands.bindLeadership(leadership, properties);
            return () -> commands.unbindLeadership(leadership, properties);
          }
        };
    new Candidacy(candidate, registry, timer, Runnable::run)
        .stand(new Standing(election, "main", 0, "acme." + election), locks);
  }

  @Test
  void electionsShowWhoLeads() throws Exception {
    assertEquals("NAME  NODE  BUNDLE  EPOCH  AGE  WAITING", commands.elections());
    assertEquals("[]", commands.elections("-o", "json"));
    stand("billing", n2, false);
    stand("billing", n1, true);
    stand("shipping", n1, true);
    var unused = n2.acquire("election/by-hand", Duration.ofSeconds(5));
    unused = n2.acquire("another lock", Duration.ofSeconds(5));
    String[] lines = commands.elections().split("\n");
    assertEquals(4, lines.length);
    assertTrue(lines[1].matches("billing   n2    acme.billing   +\\d+  \\S+ +1"), lines[1]);
    assertTrue(lines[2].matches("by-hand   n2    io.clowder.lock +\\d+  \\S+ +0"), lines[2]);
    assertTrue(lines[3].matches("shipping  n1    acme.shipping   +\\d+  \\S+ +0"), lines[3]);
    assertTrue(
        commands
            .elections("-o", "json")
            .contains("{\"name\": \"shipping\", \"node\": \"n1\", \"bundle\": \"acme.shipping\","));
    assertTrue(commands.elections("--help").contains("lock:promote election/NAME NODE"));
  }

  @Test
  void aLockThatNobodyMayHaveYetHasNoLeader() throws Exception {
    TestGroup.Node node = group.node("n3", timer);
    var held =
        new ReplicatedLocks(
                node,
                group.table,
                group.events,
                node.id,
                LockSetting.of(Duration.ofSeconds(2)),
                1,
                timer)
            .enter("x")
            .acquire(
                Claim.exclusive("election/billing").withLockDelay(Duration.ofMinutes(1)),
                Duration.ofSeconds(1));
    assertTrue(held.toCompletableFuture().isDone());
    stand("billing", n1, true);
    node.endSession();
    assertTrue(
        commands.elections().matches("(?s).*\nbilling  -     -       -      -          1"),
        commands.elections());
    assertEquals("nobody leads election billing", error(() -> commands.resign("billing")));
  }

  @Test
  void allPagesAreShown() throws Exception {
    for (int i = 0; i <= Limits.PAGE_ENTRIES; i++) {
      var unused = n2.acquire("election/e" + i, Duration.ofSeconds(5));
    }
    assertEquals(Limits.PAGE_ENTRIES + 2, commands.elections().lines().count());
  }

  @Test
  void whoLeadsResigns() throws Exception {
    stand("billing", n1, true);
    stand("billing", n2, false);
    assertEquals("billing resigned", commands.resign("billing"));
    var lock = n1.info("election/billing").toCompletableFuture().join();
    assertNotNull(lock);
    assertEquals("n2", lock.holders().get(0).node().value());
    assertEquals(
        "election billing is led by acme.billing on n2: resign there, or promote another",
        error(() -> commands.resign("billing")));
    assertEquals("nobody leads election other", error(() -> commands.resign("other")));
    stand("third", n1, true);
    assertTrue(
        commands
            .resign("third", "-o", "json")
            .matches("(?s).*\"epoch\": \\d+, \"resigned\": true.*"));
    assertEquals(
        "no locks of a group 'side' here; there are: main",
        error(() -> commands.resign("third", "--group", "side")));
  }

  @Test
  void withoutLocksThereIsNothingToShow() {
    commands.unbindLocks(n1, Map.of());
    assertTrue(error(commands::elections).contains("no locks of a group 'main' here"));
  }

  private static String error(Executable call) {
    return assertThrows(RuntimeException.class, call).getMessage();
  }
}
