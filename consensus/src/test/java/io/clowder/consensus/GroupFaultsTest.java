// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import static io.clowder.consensus.Workbench.*;
import static org.junit.jupiter.api.Assertions.*;

import io.clowder.api.consensus.*;
import io.clowder.api.protocol.*;
import io.clowder.api.wire.*;
import java.io.*;
import java.time.Duration;
import java.util.*;
import org.junit.jupiter.api.Test;

/** Faults that were found in the driver once, each with the sequence that showed it. */
class GroupFaultsTest {
  /** A snapshot whose writing overflows the stack. */
  @Test
  void aSnapshotThatOverflowsTheStackIsNotUnderWayForEver() {
    OneNode node = OneNode.serving();
    boolean[] deep = {true};
    StateMachine machine =
        new StateMachine() {
          @Override
          public byte[] apply(Entry entry) {
            return new byte[0];
          }

          @Override
          public byte[] query(byte[] q) {
            return new byte[0];
          }

          @Override
          public Snapshot snapshot() {
            return out -> {
              if (deep[0]) throw new StackOverflowError();
            };
          }

          @Override
          public void restore(InputStream in) {}
        };
    node.group.addMachine("deep", machine);
    for (int i = 0; i < 30; i++) {
      node.submit("x");
      for (int j = 0; j < 4; j++) {
        node.work();
        node.disk.runAll();
        try {
          node.background.runAll();
        } catch (StackOverflowError e) {
          // what an executor's thread does with it: it dies, another takes over
        }
      }
    }
    deep[0] = false;
    node.pass(Duration.ofSeconds(20));
    for (int i = 0; i < 30; i++) {
      node.submit("x");
      node.settle();
    }
    assertNotNull(node.storage.snapshots.latest);
  }

  /** A leader whose disk hangs resigns. */
  @Test
  void aLeaderWhoseDiskHangsResigns() {
    OneNode node = OneNode.serving();
    node.submit("warm");
    node.settle();
    node.submit("a");
    for (int i = 0; i < 500; i++) {
      node.now += 20 * MILLIS;
      node.work();
      node.background.runAll();
    }
    assertTrue(node.protocol.events.stream().anyMatch(Event.Resign.class::isInstance));
  }

  /** Exactly once, also when the session ends while the machine is being loaded. */
  @Test
  void aCommandWhoseSessionEndsWhileItsMachineIsComingIsAppliedOnce() {
    OneNode node = new OneNode(new MemoryStorage(), "instant", N1, N2);
    node.group.addProtocol("instant", node.protocol);
    node.settle();
    Diary late = new Diary();
    ConsensusService service = node.group.addMachine("late", late);
    service.submit(bytes("x"), OneNode.DEADLINE);
    for (int i = 0; i < 4; i++) {
      node.work();
      node.disk.runAll();
    }
    node.deliver(N2, DIRECTORY, new GroupMessage.Forward(List.of(open(N1, 8))));
    for (int i = 0; i < 4; i++) {
      node.work();
      node.disk.runAll();
    }
    node.settle();
    node.pass(Duration.ofSeconds(1));
    assertEquals(1, late.lines().split("x", -1).length - 1, late.lines());
  }
}
