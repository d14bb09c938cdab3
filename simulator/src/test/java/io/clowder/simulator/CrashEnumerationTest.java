// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.storage.Disk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** A program that replaces a number in a file, right and in each of the usual wrong ways. */
class CrashEnumerationTest {
  private enum Mistake {
    NONE,
    NO_SYNC,
    NO_DIRECTORY_SYNC,
    IN_PLACE,
    RENAME_BEFORE_SYNC,
    NO_SYNC_AT_OPENING
  }

  private static final int BYTES = 1_200;

  private int acknowledged;
  private int attempted;

  @Test
  void theRightWaySurvivesEverything() throws IOException {
    var enumeration = enumeration(Mistake.NONE);
    enumeration.run(disk -> write(disk, Mistake.NONE));
    assertTrue(enumeration.points() > 30, "points " + enumeration.points());
    assertTrue(enumeration.states() > 300, "states " + enumeration.states());
  }

  @Test
  void everyMistakeIsFound() {
    for (var mistake : Mistake.values()) {
      if (mistake != Mistake.NONE) {
        acknowledged = 0;
        attempted = 0;
        assertThrows(
            AssertionError.class,
            () -> enumeration(mistake).run(disk -> write(disk, mistake)),
            mistake.name());
      }
    }
  }

  private CrashEnumeration<Integer> enumeration(Mistake mistake) {
    return new CrashEnumeration<>(
        new SplittableRandom(1), 20, true, true, disk -> read(disk, mistake));
  }

  private void write(Disk disk, Mistake mistake) throws IOException {
    for (int value = 1; value <= 4; value++) {
      attempted = value;
      boolean inPlace = mistake == Mistake.IN_PLACE && value > 1;
      try (var file = disk.open(inPlace ? "number" : "temporary", !inPlace)) {
        var content = ByteBuffer.allocate(BYTES);
        while (content.hasRemaining()) {
          content.put((byte) value);
        }
        file.write(0, content.flip());
        if (mistake == Mistake.RENAME_BEFORE_SYNC) {
          disk.rename("temporary", "number");
        }
        if (mistake != Mistake.NO_SYNC) {
          file.sync();
        }
      }
      if (!inPlace && mistake != Mistake.RENAME_BEFORE_SYNC) {
        disk.rename("temporary", "number");
      }
      if (mistake != Mistake.NO_DIRECTORY_SYNC) {
        disk.syncDirectory("");
      }
      acknowledged = value;
    }
  }

  private int read(Disk disk, Mistake mistake) throws IOException {
    disk.delete("temporary");
    if (mistake != Mistake.NO_SYNC_AT_OPENING) {
      disk.syncDirectory("");
    }
    if (!disk.list("").contains("number")) {
      require(acknowledged == 0, "nothing is left");
      return 0;
    }
    try (var file = disk.open("number", false)) {
      if (mistake != Mistake.NO_SYNC_AT_OPENING) {
        file.sync();
      }
      require(file.size() == BYTES, "size " + file.size());
      var content = ByteBuffer.allocate(BYTES);
      file.read(0, content);
      int value = content.get(0);
      for (byte each : content.array()) {
        require(each == value, "torn");
      }
      require(value >= acknowledged && value <= attempted, "found " + value);
      return value;
    }
  }

  private static void require(boolean condition, String message) {
    if (!condition) {
      throw new AssertionError(message);
    }
  }
}
