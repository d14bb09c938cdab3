// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import java.util.List;
import java.util.Locale;

/** Draws curves of mistakes against detection time, both by logarithm, as text of SVG. */
final class Chart {
  private static final int WIDTH = 860;
  private static final int HEIGHT = 560;
  private static final int LEFT = 70;
  private static final int RIGHT = 20;
  private static final int TOP = 50;
  private static final int BOTTOM = 60;
  private static final double TIME_MIN = 0.24;
  private static final double TIME_MAX = 3;
  private static final double RATE_MIN = 2e-4;
  private static final double RATE_MAX = 0.5;

  private final StringBuilder out = new StringBuilder();
  private int entries;

  Chart(String title) {
    out.append(
        String.format(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\""
                + " font-family=\"sans-serif\" font-size=\"12\">\n",
            WIDTH, HEIGHT));
    out.append("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
    text(WIDTH / 2.0, 24, "middle", title);
    text(WIDTH / 2.0, HEIGHT - 18, "middle", "mean detection time, s");
    out.append("<g transform=\"rotate(-90)\">");
    text(-HEIGHT / 2.0, 18, "middle", "mistakes per second");
    out.append("</g>\n");
    for (double time : new double[] {0.25, 0.3, 0.4, 0.5, 0.7, 1, 1.5, 2, 2.5, 3}) {
      line(x(time), TOP, x(time), HEIGHT - BOTTOM);
      text(x(time), HEIGHT - BOTTOM + 18, "middle", String.valueOf(time));
    }
    for (double rate : new double[] {5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5}) {
      line(LEFT, y(rate), WIDTH - RIGHT, y(rate));
      text(LEFT - 6, y(rate) + 4, "end", String.format(Locale.ROOT, "%.4f", rate));
    }
  }

  private static double x(double time) {
    double part = Math.log(time / TIME_MIN) / Math.log(TIME_MAX / TIME_MIN);
    return LEFT + part * (WIDTH - LEFT - RIGHT);
  }

  private static double y(double rate) {
    double part = Math.log(rate / RATE_MIN) / Math.log(RATE_MAX / RATE_MIN);
    return HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM);
  }

  private static boolean isInside(double time, double rate) {
    return time >= TIME_MIN && time <= TIME_MAX && rate >= RATE_MIN && rate <= RATE_MAX;
  }

  private void text(double x, double y, String anchor, String text) {
    out.append(
        String.format(
            Locale.ROOT,
            "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n",
            x,
            y,
            anchor,
            text));
  }

  private void line(double x1, double y1, double x2, double y2) {
    out.append(
        String.format(
            Locale.ROOT,
            "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#ddd\"/>\n",
            x1,
            y1,
            x2,
            y2));
  }

  /** Adds a curve of ours. */
  Chart curve(String name, String colour, List<Replay.Point> points) {
    out.append("<polyline fill=\"none\" stroke-width=\"2\" stroke=\"").append(colour);
    out.append("\" points=\"");
    for (Replay.Point point : points) {
      if (isInside(point.detection(), point.mistakes())) {
        out.append(
            String.format(Locale.ROOT, "%.1f,%.1f ", x(point.detection()), y(point.mistakes())));
      }
    }
    out.append("\"/>\n");
    entry(name, colour);
    return this;
  }

  /** Adds published points: time and rate of each. */
  Chart points(String name, String colour, double[][] points) {
    for (double[] point : points) {
      circle(x(point[0]), y(point[1]), colour);
    }
    circle(WIDTH - 255, TOP + 16 + 18 * entries, colour);
    entry(name, colour);
    return this;
  }

  private void circle(double x, double y, String colour) {
    out.append(
        String.format(
            Locale.ROOT,
            "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"none\" stroke=\"%s\"/>\n",
            x,
            y,
            colour));
  }

  private void entry(String name, String colour) {
    out.append("<g fill=\"").append(colour).append("\">");
    text(WIDTH - 245, TOP + 20 + 18 * entries, "start", name);
    out.append("</g>\n");
    entries++;
  }

  String svg() {
    return out + "</svg>\n";
  }
}
