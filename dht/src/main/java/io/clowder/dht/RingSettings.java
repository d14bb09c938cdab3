// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

/**
 * Times and limits, the first the same on all members of a ring.
 *
 * @param successors how long successor lists are, 1 to 64; r in the papers
 * @param alternates how many members are kept per finger: the first from its point on, and those
 *     after it
 * @param answerNanos how long an answer may take
 * @param tries how often a question about the ring is put until silence is taken for death; a
 *     lookup goes round a member at the first silence
 * @param roundNanosMin least time between two rounds of upkeep
 * @param roundNanosMax most time between them; what it is each time is chance
 * @param lookupNanos how long a lookup may take with all its retries
 * @param hopsMax how many members one attempt of a lookup may pass
 * @param lookupsMax how many lookups of its own a member has under way at most, and how many of
 *     others it waits with for the next hop
 * @param rememberedMax how many silent members, and how many that have left, are remembered
 */
record RingSettings(
    int successors,
    int alternates,
    long answerNanos,
    int tries,
    long roundNanosMin,
    long roundNanosMax,
    long lookupNanos,
    int hopsMax,
    int lookupsMax,
    int rememberedMax) {
  private static final long MILLI = 1_000_000;

  /** For rings of up to some hundred members. */
  static final RingSettings USUAL =
      new RingSettings(
          8, 3, 300 * MILLI, 3, 750 * MILLI, 1_250 * MILLI, 10_000 * MILLI, 64, 1_000, 128);

  RingSettings {
    check("successors", successors, 1, Successors.MAX);
    check("alternates", alternates, 1, Successors.MAX);
    check("answer time", answerNanos, 1, Long.MAX_VALUE / 1_000);
    check("tries", tries, 1, 100);
    check("shortest round", roundNanosMin, 1, roundNanosMax);
    check("longest round", roundNanosMax, 1, Long.MAX_VALUE / 4);
    check("lookup time", lookupNanos, answerNanos, Long.MAX_VALUE / 4);
    check("hops", hopsMax, 1, RingMessage.PATH_MAX);
    check("lookups", lookupsMax, 1, 1_000_000);
    check("remembered members", rememberedMax, 1, 100_000);
  }

  private static void check(String what, long value, long min, long max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(what + ": " + value + " is not " + min + " to " + max);
    }
  }

  RingSettings withSuccessors(int count) {
    return new RingSettings(
        count,
        alternates,
        answerNanos,
        tries,
        roundNanosMin,
        roundNanosMax,
        lookupNanos,
        hopsMax,
        lookupsMax,
        rememberedMax);
  }

  /** How many members a ring needs at least for its lists to be what the proof is about. */
  int foundersMin() {
    return successors + 1;
  }
}
