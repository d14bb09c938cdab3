// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * {@code adaptive} against {@code phi} and {@code chen}, each with any parameter, on the same
 * trace. The whole week, its table on the console and the chart {@code docs/detectors.svg}:
 *
 * <pre>
 *   mvn test -pl failure-detector -am -Dtest=EnvelopeTest -Dsurefire.failIfNoSpecifiedTests=false \
 *       -Dweek=true
 * </pre>
 */
final class EnvelopeTest {
  private static final long SEED = 7;
  private static final double[] TIMES = {
    0.25, 0.26, 0.275, 0.3, 0.325, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.85, 1, 1.25, 1.5, 1.75, 2,
    2.25, 2.5
  };

  /** Read off the paper's figures 8 and 9. */
  private static final double[][] PHI_PUBLISHED = {
    {0.251, 0.2375}, {0.259, 0.0872}, {0.269, 0.0501}, {0.278, 0.0389}, {0.284, 0.0330},
    {0.290, 0.0291}, {0.295, 0.0263}, {0.305, 0.0221}, {0.319, 0.0181}, {0.359, 0.0126},
    {0.446, 0.0070}, {0.602, 0.0036}, {0.855, 0.0032}, {1.243, 0.0025}, {1.811, 0.0016},
    {2.572, 0.0011}
  };

  /** Read off the paper's figure 11. */
  private static final double[][] CHEN_PUBLISHED = {
    {0.246, 0.143}, {0.255, 0.0566}, {0.345, 0.0274}, {0.445, 0.0116}, {0.515, 0.0087},
    {0.595, 0.0066}, {0.695, 0.0049}, {0.795, 0.0040}, {0.915, 0.0032}, {1.045, 0.0026},
    {1.245, 0.0022}, {1.545, 0.0017}, {1.845, 0.0013}, {2.5, 0.0012}
  };

  @Test
  void adaptiveIsBelowBothOnNineHours() {
    check(Curves.of(new WeekTrace(SEED, 300_000)));
  }

  @Test
  @EnabledIfSystemProperty(named = "week", matches = "true")
  void adaptiveIsBelowBothOnTheWeek() throws IOException {
    Curves curves = Curves.of(new WeekTrace(SEED, WeekTrace.HEARTBEATS));
    print(curves);
    String svg =
        new Chart("One made-up week between two continents: mistakes and detection time")
            .curve("adaptive", "#c00", curves.adaptive())
            .curve("phi", "#06c", curves.phi())
            .curve("chen", "#080", curves.chen())
            .curve("fixed", "#888", curves.fixed())
            .points("φ, as published of the real week", "#06c", PHI_PUBLISHED)
            .points("Chen, as published of the real week", "#080", CHEN_PUBLISHED)
            .svg();
    Path docs = Files.createDirectories(Path.of("docs"));
    Files.writeString(docs.resolve("detectors.svg"), svg);
    check(curves);
  }

  private static void check(Curves curves) {
    for (double time : TIMES) {
      double ours = Curves.at(curves.adaptive(), time);
      double theirs = curves.envelope(time);
      assertTrue(ours <= theirs, () -> time + " s: " + ours + " above " + theirs);
    }
    assertTrue(Curves.at(curves.adaptive(), 0.45) <= 0.007);
  }

  /** Where nothing follows from the past, a margin that stays is the best; and not far away. */
  @Test
  void adaptiveIsHardlyAboveThemWhereThereIsNothingToLearn() {
    for (SimpleLink link : SimpleLink.values()) {
      Curves curves = Curves.of(link.trace(5, 150_000));
      for (double time = 0.1; time < 2; time *= 1.05) {
        double at = time;
        double ours = Curves.at(curves.adaptive(), time);
        double theirs = curves.envelope(time);
        boolean isMeasurable = theirs > 4e-3 && ours > 4e-3;
        assertTrue(
            !isMeasurable || ours <= 1.25 * theirs,
            () -> link + " " + at + " s: " + ours + " above " + theirs);
      }
    }
  }

  private static void print(Curves curves) {
    System.out.println("  T_D s  adaptive       phi      chen     fixed");
    for (double time : TIMES) {
      System.out.printf(
          Locale.ROOT,
          "%7.3f  %8.5f  %8.5f  %8.5f  %8.5f%n",
          time,
          Curves.at(curves.adaptive(), time),
          Curves.at(curves.phi(), time),
          Curves.at(curves.chen(), time),
          Curves.at(curves.fixed(), time));
    }
  }
}
