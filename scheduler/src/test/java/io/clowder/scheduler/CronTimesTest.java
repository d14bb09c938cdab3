// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which instants cron expressions have, also where clocks are put forward or back. */
class CronTimesTest {
  private static final ZoneId BERLIN = ZoneId.of("Europe/Berlin");

  private static List<String> after(String expression, ZoneId zone, String from, int count) {
    List<String> times = new ArrayList<>();
    long time = LocalDateTime.parse(from).atZone(zone).toInstant().toEpochMilli();
    for (int i = 0; i < count; i++) {
      time = CronTimes.next(expression, zone, time);
      if (time == Plan.NEVER) {
        times.add("never");
        break;
      }
      times.add(Instant.ofEpochMilli(time).atZone(zone).toOffsetDateTime().toString());
    }
    return times;
  }

  private static void expect(String expression, String from, String... times) {
    assertEquals(
        List.of(times),
        after(expression, BERLIN, from, times.length),
        expression + " from " + from);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "30 3 * * *        | 2026-01-02T03:30+01:00",
        "*/15 * * * *      | 2026-01-01T12:15+01:00",
        "0 0 1 */2 *       | 2026-03-01T00:00+01:00",
        "0 12 * * 1-5      | 2026-01-02T12:00+01:00",
        "0 12 * * MON      | 2026-01-05T12:00+01:00",
        "0 12 * * 0        | 2026-01-04T12:00+01:00",
        "0 12 * * 7        | 2026-01-04T12:00+01:00",
        "0 0 29 2 *        | 2028-02-29T00:00+01:00",
        "5 30 3 * * *      | 2026-01-02T03:30:05+01:00",
        "*/20 * * * * *    | 2026-01-01T12:00:20+01:00",
        "0 0 12 * * 1      | 2026-01-05T12:00+01:00",
        "0 0 0 L * *       | 2026-01-31T00:00+01:00",
        "0 0 12 ? * 1      | 2026-01-04T12:00+01:00",
        "0 0 12 ? * MON#2  | 2026-01-12T12:00+01:00",
        "0 0 12 15W * ?    | 2026-01-15T12:00+01:00",
        "0 0 12 * * ? 2030 | 2030-01-01T12:00+01:00",
        "0 0 12 * * ? 2020 | never",
        "0 0 31 2 *        | never",
        // Five fields: the 13th or Fridays. Six: Friday the 13th.
        "0 12 13 * FRI     | 2026-01-02T12:00+01:00",
        "0 0 12 13 * FRI   | 2026-02-13T12:00+01:00",
      })
  void formsOfExpressions(String expression, String first) {
    expect(expression, "2026-01-01T12:00", first);
  }

  @Test
  void anInstantIsAfterNotAt() {
    expect("0 12 * * *", "2026-01-01T11:59:59.999", "2026-01-01T12:00+01:00");
    expect("0 12 * * *", "2026-01-01T12:00", "2026-01-02T12:00+01:00");
  }

  @Test
  void aZoneHasItsOwnClock() {
    assertEquals(
        List.of("2026-07-01T09:00+09:00"),
        after("0 9 * * *", ZoneId.of("Asia/Tokyo"), "2026-06-30T10:00", 1));
    assertEquals(
        List.of("2026-07-01T09:00+05:45"),
        after("0 9 * * *", ZoneId.of("Asia/Kathmandu"), "2026-06-30T10:00", 1));
  }

  @Test
  void whatFallsIntoTheGapIsPassedOver() {
    for (String expression : List.of("30 2 * * *", "0 30 2 * * *", "0 30 2 * * ?")) {
      expect(
          expression,
          "2026-03-28T02:00",
          "2026-03-28T02:30+01:00",
          "2026-03-30T02:30+02:00",
          "2026-03-31T02:30+02:00");
    }
    expect("0 3 * * *", "2026-03-28T12:00", "2026-03-29T03:00+02:00", "2026-03-30T03:00+02:00");
    expect("30 1-3 * * *", "2026-03-29T00:00", "2026-03-29T01:30+01:00", "2026-03-29T03:30+02:00");
  }

  @Test
  void whatComesTwiceFiresAtTheFirst() {
    for (String expression : List.of("30 2 * * *", "0 30 2 * * *", "0 30 2 * * ?")) {
      expect(expression, "2026-10-25T00:00", "2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00");
    }
    expect(
        "15,45 2 * * *",
        "2026-10-25T00:00",
        "2026-10-25T02:15+02:00",
        "2026-10-25T02:45+02:00",
        "2026-10-26T02:15+01:00");
    expect(
        "30 1-3 * * *",
        "2026-10-25T00:00",
        "2026-10-25T01:30+02:00",
        "2026-10-25T02:30+02:00",
        "2026-10-25T03:30+01:00",
        "2026-10-26T01:30+01:00");
    expect("0 3 * * *", "2026-10-25T00:00", "2026-10-25T03:00+01:00", "2026-10-26T03:00+01:00");
  }

  @Test
  void whoBeginsBetweenTheTwoHasMissedTheFirst() {
    long between = Instant.parse("2026-10-25T01:10:00Z").toEpochMilli(); // 02:10+01:00
    assertEquals(
        Instant.parse("2026-10-26T01:30:00Z").toEpochMilli(),
        CronTimes.next("30 2 * * *", BERLIN, between));
  }

  /** Its instants come evenly, whatever the clocks on the wall do. */
  @ParameterizedTest
  @ValueSource(strings = {"30 * * * *", "0 30 * * * ?", "0 30 0-23 * * *", "30 */1 * * *"})
  void whatHasInstantsInEveryHourGoesOnInEveryHour(String expression) {
    for (String day : List.of("2026-03-29T00:00", "2026-10-25T00:00")) {
      long time = LocalDateTime.parse(day).atZone(BERLIN).toInstant().toEpochMilli();
      for (int hour = 0; hour < 8; hour++) {
        long next = CronTimes.next(expression, BERLIN, time);
        assertEquals(hour == 0 ? 1_800_000 : 3_600_000, next - time, day + " hour " + hour);
        time = next;
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "* * * *         | has 4 fields: use five (minute, hour, day of month, month, day of week)",
        "* * * * * * * * | has 8 fields",
        "@daily          | has 1 fields",
        "61 * * * *      | Value 61 not in range [0, 59]",
        "a b c d e       | Invalid chars",
        "5-3 * * * *     | Invalid range! [5,3]",
        "*/0 * * * *     | Period 0 not in range",
        "H * * * *       | Invalid chars",
        "0 0 * * ?       | Invalid expression: ?",
        "1 * * * * *#    | cannot be read",
      })
  void whatIsNoExpressionIsRefusedAndNamed(String expression, String why) {
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> CronTimes.parsed(expression));
    String message = String.valueOf(refused.getMessage());
    assertTrue(message.startsWith("cron expression '" + expression + "'"), message);
    assertTrue(message.contains(why), message);
  }
}
