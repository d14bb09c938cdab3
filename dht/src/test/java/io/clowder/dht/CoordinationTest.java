// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.dht.KeeperMessage.Keep;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** An owner of all keys, with one other that has to have what is written. */
class CoordinationTest {
  private static final int MANY = 100_000;
  private static final Seat HERE = new Seat(new NodeId("here"), 1);
  private static final Seat THERE = new Seat(new NodeId("there"), 2);
  private static final byte[] KEY = "hot".getBytes(UTF_8);

  private final List<KeeperMessage> sent = new ArrayList<>();
  private final List<Answer> answers = new ArrayList<>();
  private final Shelf shelf = shelf(1);
  private final Coordination coordination = new Coordination(shelf, new OwnerOfAll());
  private boolean isOwner = true;
  private boolean hasDisk;
  private long appended;
  private long major = 1;
  private long requests;

  private static KeeperSettings settings() {
    KeeperSettings usual = KeeperSettings.USUAL;
    return new KeeperSettings(
        2,
        2,
        usual.attemptNanos(),
        usual.resendNanos(),
        2 * MANY,
        Long.MAX_VALUE,
        usual.transferBytes(),
        usual.tombstoneMillis(),
        usual.antiEntropyNanos());
  }

  private Shelf shelf(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    return new Shelf(HERE, settings(), new Values(), port(), random, 0);
  }

  private KeeperPort port() {
    return new KeeperPort() {
      @Override
      public boolean send(Seat to, KeeperMessage message) {
        sent.add(message);
        return true;
      }

      @Override
      public long append(Value value) {
        return hasDisk ? ++appended : 0;
      }

      @Override
      public long forget(Identifier id) {
        return hasDisk ? ++appended : 0;
      }

      @Override
      public void answered(long ticket, Reply reply) {
        throw new AssertionError("nobody asked");
      }

      @Override
      public long wallMillis() {
        return 1;
      }
    };
  }

  private final class OwnerOfAll implements Placement {
    @Override
    public void locate(Identifier id, Consumer<@Nullable Seat> then) {
      then.accept(HERE);
    }

    @Override
    public void keepers(Identifier id, Consumer<List<Seat>> then) {
      then.accept(List.of(HERE, THERE));
    }

    @Override
    public @Nullable Tenure tenure(Identifier id) {
      return isOwner
          ? new Tenure(1, major, List.of(THERE), List.of(), 2, 2, List.of(), 0, true)
          : null;
    }

    @Override
    public boolean accepts(Identifier id) {
      return isOwner;
    }

    @Override
    public boolean isSure(long now) {
      return true;
    }

    @Override
    public void confirm(Runnable then) {
      then.run();
    }

    @Override
    public boolean admits(Seat owner, Identifier id, long stamp) {
      return false;
    }

    @Override
    public void covered(Seat owner, Interval interval) {
      throw new AssertionError("this node owns all");
    }

    @Override
    public boolean isWhole(Interval interval) {
      return true;
    }
  }

  private void take(Ask.Kind kind) {
    take(coordination, kind);
  }

  private void take(Coordination by, Ask.Kind kind) {
    byte[] content = kind == Ask.Kind.STORE ? KEY : null;
    RequestKey request = new RequestKey(1, ++requests);
    Identifier id = Identifier.hash(Identifier.SHA_1, KEY);
    by.take(new Ask(kind, id, KEY, content, null, 0, 0, request, false), answers::add);
  }

  @Test
  void aWriteThatTheOthersHaveIsToldWhenItIsOnDiskHere() {
    hasDisk = true;
    take(Ask.Kind.STORE);
    coordination.kept(THERE, ((Keep) sent.get(0)).ticket());
    assertEquals(List.of(), answers);
    shelf.durable(appended);
    assertEquals(Answer.Code.DONE, answers.get(0).code());
  }

  /** It comes back in the same life, and so in the same seat. */
  @Test
  void whatIsSaidToTheNodeBeforeItWasStartedAnewIsForNobody() {
    take(Ask.Kind.STORE);
    Coordination anew = new Coordination(shelf(2), new OwnerOfAll());
    take(anew, Ask.Kind.STORE);
    anew.kept(THERE, ((Keep) sent.get(0)).ticket());
    assertEquals(List.of(), answers);
    anew.kept(THERE, ((Keep) sent.get(1)).ticket());
    assertEquals(Answer.Code.DONE, answers.get(0).code());
  }

  /** A reader may still know what was forgotten. */
  @Test
  void versionsGoOnAfterWhatWasForgotten() {
    storeAgainAfterItWasForgotten();
    // As in mode peer.
    major = 0;
    answers.clear();
    sent.clear();
    storeAgainAfterItWasForgotten();
  }

  private void storeAgainAfterItWasForgotten() {
    take(Ask.Kind.STORE);
    coordination.kept(THERE, ((Keep) sent.get(0)).ticket());
    Identifier id = Identifier.hash(Identifier.SHA_1, KEY);
    shelf.forgetForGood(id);
    assertNull(shelf.values.get(id));
    take(Ask.Kind.STORE);
    coordination.kept(THERE, ((Keep) sent.get(1)).ticket());
    assertTrue(answers.get(0).version().compareTo(answers.get(1).version()) < 0);
  }

  /** One write that takes long, and many reads that do not, but have to wait for it. */
  private void fill() {
    take(Ask.Kind.STORE);
    for (int i = 1; i < MANY; i++) {
      take(Ask.Kind.FETCH);
    }
    assertEquals(List.of(), answers);
    assertEquals(1, sent.size());
  }

  @Test
  void aKeyForWhichManyWaitEndsNoThread() {
    fill();
    coordination.kept(THERE, ((Keep) sent.get(0)).ticket());
    assertEquals(MANY, answers.size());
    assertTrue(answers.stream().allMatch(it -> it.code() == Answer.Code.DONE));
    assertTrue(coordination.keys().isEmpty());
  }

  @Test
  void norDoesOneThatThisNodeOwnsNoMore() {
    fill();
    isOwner = false;
    coordination.placementChanged();
    assertEquals(MANY, answers.size());
    assertEquals(Answer.Code.LOST, answers.get(0).code());
    assertEquals(Answer.Code.NOT_OWNER, answers.get(MANY - 1).code());
    assertTrue(coordination.keys().isEmpty());
  }
}
