// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.shell;

import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads {@code 500ms}, {@code 10s}, {@code 2m}, {@code 1h} or {@code 7d} in a command's words. */
public final class DurationConverter implements ITypeConverter<Duration> {
  private static final Pattern FORM = Pattern.compile("(\\d{1,9})(ms|s|m|h|d)");

  /** For picocli. */
  public DurationConverter() {}

  /** A time as people say it, such as 3m12s or 1.5s; one below 0 is 0. */
  public static String text(Duration duration) {
    Duration shown = duration.isNegative() ? Duration.ZERO : duration;
    return shown
        .truncatedTo(shown.toMinutes() > 0 ? ChronoUnit.SECONDS : ChronoUnit.MILLIS)
        .toString()
        .substring(2)
        .toLowerCase(Locale.ROOT);
  }

  @Override
  public Duration convert(String text) {
    Matcher matcher = FORM.matcher(text);
    if (!matcher.matches()) {
      throw new TypeConversionException("'" + text + "': write a time as 500ms, 10s, 2m, 1h or 7d");
    }
    ChronoUnit unit =
        switch (matcher.group(2)) {
          case "ms" -> ChronoUnit.MILLIS;
          case "s" -> ChronoUnit.SECONDS;
          case "m" -> ChronoUnit.MINUTES;
          case "h" -> ChronoUnit.HOURS;
          default -> ChronoUnit.DAYS;
        };
    return Duration.of(Long.parseLong(matcher.group(1)), unit);
  }
}
