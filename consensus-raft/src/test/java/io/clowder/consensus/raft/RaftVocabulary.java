// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.raft;

import io.clowder.simulator.trace.RecordVocabulary;
import java.nio.charset.StandardCharsets;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/** Entries as {@code term:command,term:command}; none as {@code -}. */
final class RaftVocabulary extends RecordVocabulary {
  RaftVocabulary() {
    super(RaftMessage.class);
  }

  @Override
  protected String print(@Nullable Object value) {
    if (value instanceof Entries entries && !entries.isEmpty()) {
      StringJoiner text = new StringJoiner(",");
      for (int i = 0; i < entries.size(); i++) {
        text.add(entries.term(i) + ":" + new String(entries.command(i), StandardCharsets.UTF_8));
      }
      return text.toString();
    }
    return value instanceof Entries ? "-" : super.print(value);
  }

  @Override
  protected @Nullable Object parse(Class<?> type, String text) {
    if (type != Entries.class) {
      return super.parse(type, text);
    }
    if (text.equals("-")) {
      return Entries.NONE;
    }
    String[] parts = text.split(",");
    long[] terms = new long[parts.length];
    byte[][] commands = new byte[parts.length][];
    for (int i = 0; i < parts.length; i++) {
      int colon = parts[i].indexOf(':');
      terms[i] = Long.parseLong(parts[i].substring(0, colon));
      commands[i] = parts[i].substring(colon + 1).getBytes(StandardCharsets.UTF_8);
    }
    return new Entries(terms, commands);
  }
}
