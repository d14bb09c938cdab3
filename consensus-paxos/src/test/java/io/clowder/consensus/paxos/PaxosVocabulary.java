// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.paxos;

import io.clowder.simulator.trace.RecordVocabulary;
import java.nio.charset.StandardCharsets;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/**
 * Ballots as {@code round.member}; commands as {@code command,command}, where {@code -} is the
 * empty one; votes as {@code ballot:command,ballot:command}, where {@code -} is none, and {@code
 * none} is no slot.
 */
final class PaxosVocabulary extends RecordVocabulary {
  PaxosVocabulary() {
    super(PaxosMessage.class);
  }

  @Override
  protected String print(@Nullable Object value) {
    if (value instanceof Commands commands) {
      StringJoiner text = new StringJoiner(",");
      for (int i = 0; i < commands.size(); i++) {
        text.add(text(commands.get(i)));
      }
      return text.toString();
    }
    if (value instanceof Votes votes) {
      StringJoiner text = new StringJoiner(",").setEmptyValue("none");
      for (int i = 0; i < votes.size(); i++) {
        Ballot ballot = votes.ballot(i);
        text.add(ballot == null ? "-" : ballot + ":" + text(votes.command(i)));
      }
      return text.toString();
    }
    return super.print(value);
  }

  @Override
  protected @Nullable Object parse(Class<?> type, String text) {
    if (type == Ballot.class) {
      return ballot(text);
    }
    if (type == Commands.class) {
      String[] parts = text.split(",", -1);
      byte[][] commands = new byte[parts.length][];
      for (int i = 0; i < parts.length; i++) {
        commands[i] = bytes(parts[i]);
      }
      return new Commands(commands);
    }
    if (type == Votes.class) {
      return text.equals("none") ? Votes.NONE : votes(text.split(",", -1));
    }
    return super.parse(type, text);
  }

  private static Votes votes(String[] parts) {
    @Nullable Ballot[] ballots = new @Nullable Ballot[parts.length];
    byte[] @Nullable [] commands = new byte @Nullable [parts.length][];
    for (int i = 0; i < parts.length; i++) {
      int colon = parts[i].indexOf(':');
      if (colon >= 0) {
        ballots[i] = ballot(parts[i].substring(0, colon));
        commands[i] = bytes(parts[i].substring(colon + 1));
      }
    }
    return new Votes(ballots, commands);
  }

  private static Ballot ballot(String text) {
    int point = text.indexOf('.');
    return new Ballot(
        Long.parseLong(text.substring(0, point)), Integer.parseInt(text.substring(point + 1)));
  }

  private static String text(byte[] command) {
    return command.length == 0 ? "-" : new String(command, StandardCharsets.UTF_8);
  }

  private static byte[] bytes(String text) {
    return text.equals("-") ? new byte[0] : text.getBytes(StandardCharsets.UTF_8);
  }
}
