// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.clowder.replication.ConfigCommand.Admit;
import io.clowder.replication.ConfigCommand.At;
import io.clowder.replication.ConfigCommand.Create;
import io.clowder.replication.ConfigCommand.Join;
import io.clowder.replication.ConfigCommand.Remove;
import io.clowder.replication.ConfigCommand.Resign;
import io.clowder.replication.ConfigCommand.Switchover;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class ConfigMachineTest extends OneMachine {
  @Test
  void theLastEpochCountsBeforeTheLength() {
    create(1);
    report(N2, 1, 900, N1);
    assertEquals(N1, config().primary(), "the third has not reported");
    report(N3, 2, 3, N1);
    assertEquals(N3, config().primary());
    assertEquals(set(N2, N3), config().insync());
    assertEquals(2, config().epoch());
    assertEquals(life(N3), config().life());
  }

  @Test
  void whoIsNotInSyncIsNotElected() {
    create(1);
    remove(N3);
    report(N3, 9, 900, N1, N2);
    report(N2, 1, 1, N1, N3);
    assertEquals(N2, config().primary());
  }

  @Test
  void nobodyIsElectedWhileThePrimaryIsTrusted() {
    create(1);
    report(N2, 1, 1, N3);
    assertEquals(N1, config().primary());
    assertEquals(set(N1, N2, N3), config().insync());
  }

  /** KIP-966: who leaves while nothing can be acknowledged has all that was. */
  @Test
  void whoLeavesBelowMinInsyncIsEligibleUntilThereAreEnough() {
    create(2);
    remove(N3);
    assertEquals(set(), config().eligible());
    remove(N2);
    assertEquals(set(N2), config().eligible());
    report(N2, 1, 1, N1);
    assertEquals(N2, config().primary());
    assertEquals(set(N2), config().insync());
    assertEquals(set(N1), config().eligible());
    apply(new Join(at(), N2, life(N2), N3));
    assertEquals(set(N2, N3), config().insync());
    assertEquals(set(), config().eligible());
  }

  @Test
  void anEligibleReplicaIsElectedOnlyWhenNoneInSyncCanBe() {
    create(3);
    remove(N3);
    report(N3, 1, 9, N1);
    assertEquals(N1, config().primary());
    report(N2, 1, 1, N1);
    assertEquals(N2, config().primary());
    assertEquals(set(N1, N3), config().eligible());
  }

  @Test
  void whatIsOfAnotherConfigurationDoesNothing() {
    create(1);
    At before = at();
    remove(N3);
    StoreConfig present = config();
    apply(new Join(before, N1, life(N1), N3));
    apply(new Join(at(), N1, life(N1) + 1, N3));
    apply(new Join(at(), N2, life(N2), N3));
    apply(new Remove(at(), N1, life(N1) + 1, N2));
    apply(new Remove(at(), N2, life(N2), N1));
    apply(new Switchover(at(), N1, life(N1) + 1, N2, life(N2), true));
    apply(new Switchover(at(), N2, life(N2), N2, life(N2), true));
    apply(new Join(at(), N1, life(N1), replica(4, 1)));
    apply(new Remove(at(), N1, life(N1), N1));
    apply(new Switchover(at(), N1, life(N1), N3, life(N3), true));
    apply(new Resign(at(), N1, life(N1)));
    apply(new Create(1, 3, set(N1)));
    assertEquals(present, config());
  }

  @Test
  void anotherLifeOfThePrimaryResignsAndAllMayBeElected() {
    create(1);
    apply(new Resign(at(), N1, life(N1) + 1));
    assertNull(config().primary());
    report(N1, 1, 5);
    report(N2, 1, 4);
    report(N3, 1, 4);
    assertEquals(N1, config().primary());
    assertEquals(2, config().epoch());
  }

  @Test
  void aSwitchoverIsAnEpoch() {
    create(1);
    apply(new Switchover(at(), N1, life(N1), N2, 77, true));
    assertEquals(N2, config().primary());
    assertEquals(77, config().life());
    assertEquals(2, config().epoch());
    assertEquals(set(N1, N2, N3), config().insync());
  }

  @Test
  void anotherIncarnationIsALearner() {
    create(2);
    apply(new Admit(at(), replica(1, 2)));
    assertNull(config().primary());
    assertEquals(set(N2, N3), config().insync());
    assertEquals(set(replica(1, 2), N2, N3), config().members());
  }

  @Test
  void theLastCopyIsNotGivenUp() {
    create(1);
    remove(N2);
    remove(N3);
    apply(new Admit(at(), replica(1, 2)));
    assertEquals(set(N1), config().insync());
    assertEquals(set(N1, N2, N3), config().members());
  }

  @Test
  void aSnapshotIsAllOfIt() throws IOException {
    create(2);
    remove(N3);
    remove(N2);
    report(N2, 1, 1);
    byte[] bytes = bytes(machine);
    ConfigMachine other = new ConfigMachine((store, config) -> {});
    other.restore(new ByteArrayInputStream(bytes));
    assertArrayEquals(bytes, bytes(other));
    other.restore(new ByteArrayInputStream(new byte[0]));
    assertArrayEquals(bytes(new ConfigMachine((store, config) -> {})), bytes(other));
  }
}
