// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.consensus.Entry;
import io.clowder.api.wire.WireReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * What was done to the map at which position, as the machines of the nodes saw it. Each value is
 * asked for once, so it must not be written twice, however often the command was sent.
 */
final class AppliedWrites {
  private static final int PUT = 1;
  private static final int DELETE = 2;
  private static final int COMPARE_AND_SET = 3;
  private static final int FENCED = 6;
  private static final int CHANGED = 1;
  private static final int REMOVED = 3;

  private final Judge judge;
  private final Map<Long, Long> positions = new HashMap<>();
  private final Map<String, NavigableMap<Long, Long>> keys = new HashMap<>();

  AppliedWrites(Judge judge) {
    this.judge = judge;
  }

  /** A machine applied an entry of the map. */
  void applied(Entry entry, byte[] result) {
    if (entry.kind() != Entry.Kind.COMMAND || (result[0] != CHANGED && result[0] != REMOVED)) {
      return;
    }
    var in = new WireReader(entry.command());
    int kind = in.readByte();
    in.readByte();
    int most = entry.command().length;
    if (kind == FENCED) {
      in.readBytes(most);
      in.readVarLong();
      kind = in.readByte();
      in.readByte();
    }
    String key = new String(in.readBytes(most), StandardCharsets.UTF_8);
    if (kind == COMPARE_AND_SET) {
      in.readVarLong();
    } else if (kind != PUT && kind != DELETE) {
      throw new AssertionError("a change by a command of kind " + kind);
    }
    long value = kind == DELETE ? 0 : ByteBuffer.wrap(in.readBytes(most)).getLong();
    keys.computeIfAbsent(key, name -> new TreeMap<>()).put(entry.position(), value);
    Long before = value == 0 ? null : positions.putIfAbsent(value, entry.position());
    judge.require(
        before == null || before == entry.position(),
        "applied twice: the command that writes %d, at %d and at %d"
            .formatted(value, before, entry.position()));
  }

  /** The position of each value that was ever written. */
  Map<Long, Long> positions() {
    return Collections.unmodifiableMap(positions);
  }

  /** What the key was from which position on, 0 for nothing; from position 0 on. */
  NavigableMap<Long, Long> states(String key) {
    NavigableMap<Long, Long> states = new TreeMap<>(keys.getOrDefault(key, new TreeMap<>()));
    states.put(0L, 0L);
    return states;
  }
}
