// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import io.clowder.api.Limits;
import io.clowder.api.lock.Claim;
import io.clowder.api.lock.Claim.Mode;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.time.Duration;

/**
 * What the table has to know of a {@link Claim}. Every lock has room for so much weight: a
 * semaphore for its permits; any other lock for as many as may share it, which one that wants it
 * alone takes all of.
 *
 * @param permits wanted of a semaphore, else 0
 * @param of permits of the semaphore, else 0
 * @param delayMillis how long nobody gets the lock after the holder's session has ended
 */
record Want(Mode mode, int permits, int of, int priority, int delayMillis, String note) {
  static final int PRIORITY_MAX = 9;
  static final Duration DELAY_MAX = Duration.ofMinutes(1);

  /** How much of the lock this takes. */
  int weight() {
    return switch (mode) {
      case EXCLUSIVE -> Limits.LOCK_HOLDERS;
      case SHARED -> 1;
      case PERMITS -> permits;
    };
  }

  /** How much a lock has to give that is a semaphore of so many permits, or none if 0. */
  static int room(int permits) {
    return permits == 0 ? Limits.LOCK_HOLDERS : permits;
  }

  void write(WireWriter out) {
    write(mode, out);
    out.writeVarLong(permits).writeVarLong(of);
    out.writeByte(priority).writeVarLong(delayMillis).writeString(note);
  }

  static Want read(WireReader in) {
    return new Want(
            readMode(in),
            number(in, Limits.LOCK_HOLDERS),
            number(in, Limits.LOCK_HOLDERS),
            in.readByte(),
            number(in, DELAY_MAX.toMillis()),
            in.readString(Limits.NOTE_BYTES))
        .checked();
  }

  static void write(Mode mode, WireWriter out) {
    out.writeByte(
        switch (mode) {
          case EXCLUSIVE -> 1;
          case SHARED -> 2;
          case PERMITS -> 3;
        });
  }

  static Mode readMode(WireReader in) {
    int mode = in.readByte();
    return switch (mode) {
      case 1 -> Mode.EXCLUSIVE;
      case 2 -> Mode.SHARED;
      case 3 -> Mode.PERMITS;
      default -> throw new WireFormatException("a lock in mode " + mode);
    };
  }

  private static int number(WireReader in, long max) {
    long number = in.readVarLong();
    if (number < 0 || number > max) {
      throw new WireFormatException("a lock is wanted with " + number + ": at most " + max);
    }
    return (int) number;
  }

  private Want checked() {
    boolean fits = mode == Mode.PERMITS ? permits >= 1 && permits <= of : permits == 0 && of == 0;
    if (!fits || priority < 0 || priority > PRIORITY_MAX) {
      throw new WireFormatException("a lock is wanted that cannot be: " + this);
    }
    return this;
  }
}
