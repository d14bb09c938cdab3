// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import static io.clowder.api.CoordinationException.refused;

import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** What may be the name of a lock: Unicode, so that two names never become the same bytes. */
final class LockName {
  private LockName() {}

  /** Refuses a name, or a prefix of names, that the group would refuse. */
  static String check(String what, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    if (bytes.length > Limits.KEY_BYTES) {
      throw refused(
          Reason.TOO_LARGE,
          "the %s has %d bytes: at most %d".formatted(what, bytes.length, Limits.KEY_BYTES));
    }
    if (!new String(bytes, StandardCharsets.UTF_8).equals(text)) {
      throw refused(
          Reason.INVALID, "the " + what + " is not Unicode: it holds half of a surrogate pair");
    }
    return text;
  }

  /** Like {@link #check}, and not empty. */
  static String checkName(String name) {
    return checkName("name of the lock", name);
  }

  /** Like {@link #check}, and not empty. */
  static String checkName(String what, String name) {
    if (name.isEmpty()) {
      throw refused(Reason.INVALID, "the " + what + " is empty");
    }
    return check(what, name);
  }

  /** As much of the name of a bundle as is kept. */
  static String cut(String bundle) {
    String cut = bundle;
    while (cut.getBytes(StandardCharsets.UTF_8).length > LockRequest.NAME_BYTES) {
      cut = cut.substring(0, cut.length() - 1);
    }
    return cut;
  }

  /** Refuses a text for people that is too long or not Unicode. */
  static String checkNote(String what, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    if (bytes.length > Limits.NOTE_BYTES) {
      throw refused(
          Reason.TOO_LARGE,
          "the %s has %d bytes: at most %d".formatted(what, bytes.length, Limits.NOTE_BYTES));
    }
    return check(what, text);
  }

  /** Reads a name or a prefix. */
  static String read(WireReader in) {
    byte[] bytes = in.readBytes(Limits.KEY_BYTES);
    String text = new String(bytes, StandardCharsets.UTF_8);
    if (!Arrays.equals(text.getBytes(StandardCharsets.UTF_8), bytes)) {
      throw new WireFormatException("name of a lock that is not UTF-8");
    }
    return text;
  }

  /** Reads a name. */
  static String readName(WireReader in) {
    String name = read(in);
    if (name.isEmpty()) {
      throw new WireFormatException("empty name of a lock");
    }
    return name;
  }
}
