// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import org.jspecify.annotations.Nullable;

/**
 * What came of the latest requests of one client, by their numbers: a ring of plain numbers, since
 * every write leaves one here for a while, which as objects would be most of what there is to
 * collect. A client's numbers rise, so that a new one belongs at the end, or nearly there.
 */
final class Results {
  private static final int ROOM = 8;

  private static final int STALE = 0;
  private static final int CHANGED = 1;
  private static final int CHANGED_EXISTED = 2;

  /** A conflict's kind is this and its step. */
  private static final int CONFLICT = 3;

  private long[] numbers = new long[ROOM];
  private long[] values = new long[ROOM];
  private int[] kinds = new int[ROOM];
  private int first;
  private int size;
  private long forgotten;

  int size() {
    return size;
  }

  /** The largest number whose result was forgotten; 0 if none was. */
  long forgotten() {
    return forgotten;
  }

  /** A request has a result, and had none. */
  void add(long number, Answer.Written result) {
    if (size == numbers.length) {
      resize(2 * size);
    }
    int place = size++;
    while (place > 0 && numbers[at(place - 1)] > number) {
      move(at(place - 1), at(place));
      place--;
    }
    put(at(place), number, result);
  }

  private void put(int at, long number, Answer.Written result) {
    numbers[at] = number;
    if (result instanceof Answer.Changed changed) {
      values[at] = changed.version();
      kinds[at] = changed.existed() ? CHANGED_EXISTED : CHANGED;
    } else if (result instanceof Answer.Conflict conflict) {
      values[at] = conflict.found();
      kinds[at] = CONFLICT + conflict.step();
    } else if (result instanceof Answer.Stale stale) {
      values[at] = stale.seen();
      kinds[at] = STALE;
    } else {
      throw new AssertionError("cannot remember " + result.getClass());
    }
  }

  private void move(int from, int to) {
    numbers[to] = numbers[from];
    values[to] = values[from];
    kinds[to] = kinds[from];
  }

  private void resize(int room) {
    long[] nextNumbers = new long[room];
    long[] nextValues = new long[room];
    int[] nextKinds = new int[room];
    for (int place = 0; place < size; place++) {
      nextNumbers[place] = numbers[at(place)];
      nextValues[place] = values[at(place)];
      nextKinds[place] = kinds[at(place)];
    }
    numbers = nextNumbers;
    values = nextValues;
    kinds = nextKinds;
    first = 0;
  }

  /** For how many results there is room: a power of two, never much more than there are. */
  int room() {
    return numbers.length;
  }

  private int at(int place) {
    return (first + place) & (numbers.length - 1);
  }

  /** What came of a request; null if it is not known. */
  Answer.@Nullable Written get(long number) {
    int low = 0;
    int high = size - 1;
    // Usually it is new, and beyond all of them.
    if (size == 0 || numbers[at(high)] < number) {
      return null;
    }
    while (low <= high) {
      int middle = (low + high) >>> 1;
      long found = numbers[at(middle)];
      if (found == number) {
        return answer(at(middle));
      } else if (found < number) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return null;
  }

  private Answer.Written answer(int at) {
    return switch (kinds[at]) {
      case STALE -> new Answer.Stale(values[at]);
      case CHANGED -> new Answer.Changed(values[at], false);
      case CHANGED_EXISTED -> new Answer.Changed(values[at], true);
      default -> new Answer.Conflict(kinds[at] - CONFLICT, values[at]);
    };
  }

  /**
   * Leaves the results of the largest numbers, and a mark that there were others.
   *
   * @return how many are forgotten
   */
  int forget(int kept) {
    int gone = Math.max(0, size - kept);
    if (gone > 0) {
      forgotten = Math.max(forgotten, numbers[at(gone - 1)]);
      first = at(gone);
      size = kept;
    }
    int room = numbers.length;
    while (room > ROOM && size <= room / 4) {
      room /= 2;
    }
    if (room < numbers.length) {
      resize(room);
    }
    return gone;
  }

  void write(WireWriter out) {
    out.writeVarLong(forgotten).writeVarLong(size);
    for (int place = 0; place < size; place++) {
      Answer.write(answer(at(place)), out.writeVarLong(numbers[at(place)]));
    }
  }

  static Results read(WireReader in) {
    Results results = new Results();
    results.forgotten = in.readVarLong();
    for (int left = in.readCount(); left > 0; left--) {
      results.add(in.readVarLong(), Answer.readWritten(in));
    }
    return results;
  }
}
