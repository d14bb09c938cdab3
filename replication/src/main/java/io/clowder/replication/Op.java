// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.Limits;
import io.clowder.api.lock.Fence;
import io.clowder.api.store.Step;
import io.clowder.api.wire.Utf8;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A write that a client asks for: all of its steps or nothing, and every condition is of the state
 * before it.
 *
 * @param steps none says nothing but that the log goes on
 * @param fence the token that it is done under
 */
record Op(List<Step> steps, @Nullable Fence fence) {
  Op {
    if (steps.size() > Step.BATCH_MAX) {
      throw new IllegalArgumentException("a batch of " + steps.size());
    }
    steps = List.copyOf(steps);
  }

  static Op of(Step... steps) {
    return new Op(List.of(steps), null);
  }

  static byte[] value(Step step) {
    return step instanceof Step.Put put
        ? put.value()
        : step instanceof Step.CompareAndSet cas ? cas.value() : new byte[0];
  }

  /** Bytes that it takes, more or less. */
  int size() {
    int size = 64;
    for (Step step : steps) {
      size += 32 + step.key().length() + value(step).length;
    }
    return size;
  }

  /** Whether it is over a limit: of a key, of a value, or of all that goes into one record. */
  boolean isTooLarge() {
    long all = 0;
    for (Step step : steps) {
      int key = Utf8.length(step.key());
      int value = value(step).length;
      all += key + value;
      if (key > Limits.KEY_BYTES || value > Limits.VALUE_BYTES) {
        return true;
      }
    }
    return all > Limits.COMMAND_BYTES
        || (fence != null && Utf8.length(fence.resource()) > Limits.KEY_BYTES);
  }

  void write(WireWriter out) {
    out.writeBoolean(fence != null);
    if (fence != null) {
      out.writeString(fence.resource()).writeVarLong(fence.token());
    }
    out.writeVarLong(steps.size());
    for (Step step : steps) {
      if (step instanceof Step.Put put) {
        out.writeByte(1).writeString(put.key()).writeBytes(put.value());
      } else if (step instanceof Step.Delete delete) {
        out.writeByte(2).writeString(delete.key());
      } else if (step instanceof Step.CompareAndSet cas) {
        out.writeByte(3).writeString(cas.key()).writeVarLong(cas.expected());
        out.writeBytes(cas.value());
      } else {
        throw new AssertionError("no bytes for " + step.getClass());
      }
    }
  }

  static Op read(WireReader in) {
    Fence fence =
        in.readBoolean() ? new Fence(in.readString(Limits.KEY_BYTES), in.readVarLong()) : null;
    int count = in.readCount();
    if (count > Step.BATCH_MAX) {
      throw new WireFormatException("a batch of " + count);
    }
    List<Step> steps = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      int kind = in.readByte();
      String key = in.readString(Limits.KEY_BYTES);
      steps.add(
          switch (kind) {
            case 1 -> new Step.Put(key, in.readBytes(Limits.VALUE_BYTES));
            case 2 -> new Step.Delete(key);
            case 3 ->
                new Step.CompareAndSet(key, in.readVarLong(), in.readBytes(Limits.VALUE_BYTES));
            default -> throw new WireFormatException("step of unknown kind " + kind);
          });
    }
    return new Op(steps, fence);
  }
}
