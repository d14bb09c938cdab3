// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.TypeConversionException;

class DurationConverterTest {
  private final DurationConverter converter = new DurationConverter();

  @Test
  void timesHaveAUnit() {
    assertEquals(Duration.ofMillis(500), converter.convert("500ms"));
    assertEquals(Duration.ofSeconds(10), converter.convert("10s"));
    assertEquals(Duration.ofMinutes(2), converter.convert("2m"));
    assertEquals(Duration.ofHours(1), converter.convert("1h"));
    assertEquals(Duration.ofDays(7), converter.convert("7d"));
  }

  @Test
  void theyAreShownAsPeopleSayThem() {
    assertEquals("1.5s", DurationConverter.text(Duration.ofMillis(1_500)));
    assertEquals("3m12s", DurationConverter.text(Duration.ofMillis(192_345)));
    assertEquals("0s", DurationConverter.text(Duration.ofMillis(-1)));
  }

  @Test
  void anythingElseIsNoTime() {
    for (String wrong : List.of("", "10", "s", "-1s", "1.5s", "1w", "9999999999s")) {
      assertThrows(TypeConversionException.class, () -> converter.convert(wrong), wrong);
    }
  }
}
