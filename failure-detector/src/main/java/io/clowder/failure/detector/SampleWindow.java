// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

/**
 * Mean and variance of the last samples. The sums are moved by each sample, and worked out anew
 * once in a turn of the ring, so that errors of rounding do not pile up; about the mean of that
 * moment, so that large samples do not eat small differences.
 */
final class SampleWindow {
  private final double[] ring;
  private int size;
  private int next;
  private double origin;
  private double sum;
  private double squares;

  SampleWindow(int length) {
    ring = new double[length];
  }

  void add(double sample) {
    if (size == 0) {
      origin = sample;
    }
    double in = sample - origin;
    sum += in;
    squares += in * in;
    if (size == ring.length) {
      double out = ring[next] - origin;
      sum -= out;
      squares -= out * out;
    } else {
      size++;
    }
    ring[next] = sample;
    next = next + 1 == ring.length ? 0 : next + 1;
    if (next == 0) {
      renew();
    }
  }

  private void renew() {
    origin = mean();
    sum = 0;
    squares = 0;
    for (int i = 0; i < size; i++) {
      double distance = ring[i] - origin;
      sum += distance;
      squares += distance * distance;
    }
  }

  void clear() {
    size = 0;
    next = 0;
    sum = 0;
    squares = 0;
  }

  int size() {
    return size;
  }

  double mean() {
    return origin + sum / size;
  }

  double variance() {
    double mean = sum / size;
    return Math.max(0, squares / size - mean * mean);
  }
}
