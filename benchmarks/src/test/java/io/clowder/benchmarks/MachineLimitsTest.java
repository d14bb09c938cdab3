// SPDX-License-Identifier: Apache-2.0
package io.clowder.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class MachineLimitsTest {
  @TempDir private Path folder;

  @Test
  void measuresASyncAndLeavesNoFile() throws IOException {
    long nanos = MachineLimits.syncNanos(folder);
    assertTrue(nanos > 0 && nanos < TimeUnit.SECONDS.toNanos(5), nanos + " ns");
    try (Stream<Path> files = Files.list(folder)) {
      assertEquals(0, files.count());
    }
  }

  @Test
  void measuresARoundTrip() throws IOException {
    long nanos = MachineLimits.roundTripNanos();
    assertTrue(nanos > 0 && nanos < TimeUnit.SECONDS.toNanos(5), nanos + " ns");
  }

  @Test
  void anInterruptionEndsBoth() throws IOException {
    Thread.currentThread().interrupt();
    assertThrows(ClosedByInterruptException.class, () -> MachineLimits.syncNanos(folder));
    assertThrows(ClosedByInterruptException.class, MachineLimits::roundTripNanos);
    assertTrue(Thread.interrupted());
    try (Stream<Path> files = Files.list(folder)) {
      assertEquals(0, files.count());
    }
  }

  @Test
  void aFolderThatIsNotThereIsNamed() {
    Path missing = folder.resolve("missing");
    IOException e = assertThrows(IOException.class, () -> MachineLimits.syncNanos(missing));
    assertTrue(e.getMessage().contains("missing"), e.getMessage());
  }
}
