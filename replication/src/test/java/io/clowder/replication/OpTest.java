// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.Limits;
import io.clowder.api.lock.Fence;
import io.clowder.api.store.Step;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class OpTest {
  private static final String LONG = "k".repeat(Limits.KEY_BYTES);
  private static final byte[] LARGE = new byte[Limits.VALUE_BYTES];

  private static Step cas(String key, byte[] value) {
    return new Step.CompareAndSet(key, 1, value);
  }

  @Test
  void keysAndValuesHaveALimitEach() {
    assertFalse(Op.of(new Step.Put(LONG, LARGE)).isTooLarge());
    assertFalse(Op.of(cas(LONG, LARGE)).isTooLarge());
    assertFalse(Op.of(new Step.Delete(LONG)).isTooLarge());
    assertTrue(Op.of(new Step.Put("k", new byte[LARGE.length + 1])).isTooLarge());
    assertTrue(Op.of(cas("k", new byte[LARGE.length + 1])).isTooLarge());
    assertTrue(Op.of(new Step.Delete(LONG + "k")).isTooLarge());
  }

  @Test
  void lengthsAreThoseOfTheBytes() {
    String half = "ü".repeat(Limits.KEY_BYTES / 2);
    assertFalse(Op.of(new Step.Delete(half)).isTooLarge());
    assertTrue(Op.of(new Step.Delete(half + "k")).isTooLarge());
  }

  @Test
  void allTogetherHaveALimit() {
    byte[] half = new byte[Limits.COMMAND_BYTES / 2 - 1];
    assertFalse(Op.of(new Step.Put("k", half), new Step.Put("l", half)).isTooLarge());
    assertTrue(Op.of(new Step.Put("k", half), new Step.Put("ll", half)).isTooLarge());
  }

  @Test
  void aResourceHasTheLimitOfAKey() {
    assertFalse(new Op(List.of(), new Fence(LONG, 1)).isTooLarge());
    assertTrue(new Op(List.of(), new Fence(LONG + "k", 1)).isTooLarge());
  }

  @Test
  void aBatchHasSoManySteps() {
    List<Step> most = Collections.nCopies(Step.BATCH_MAX, new Step.Delete("k"));
    WireWriter out = new WireWriter(64);
    new Op(most, null).write(out);
    assertTrue(Op.read(new WireReader(out.toByteArray())).steps().size() == Step.BATCH_MAX);
    List<Step> more = Collections.nCopies(Step.BATCH_MAX + 1, new Step.Delete("k"));
    assertThrows(IllegalArgumentException.class, () -> new Op(more, null));
    byte[] bytes = new WireWriter(8).writeBoolean(false).writeVarLong(more.size()).toByteArray();
    byte[] padded = Arrays.copyOf(bytes, 2_000);
    assertThrows(WireFormatException.class, () -> Op.read(new WireReader(padded)));
  }
}
