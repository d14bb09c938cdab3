// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Members that this one did without for a time. The <em>silent</em> did not answer, and may be
 * behind a broken link; the <em>gone</em> are no more, by the word of their own node. Lookups go
 * round both. The silent are asked now and then whether they are back: the passive list of Ring
 * Unification (Shafaat, Ghodsi, Haridi, "Dealing with network partitions in structured overlay
 * networks", 2009).
 *
 * <p>The <em>returned</em> are remembered, too. That one was heard again does not mean that both
 * are on one ring; what should have joined the rings may have got lost.
 */
final class Absentees {
  private final Sample silent;
  private final Sample returned;
  private final Latest<Member> gone;

  /** Remembers so many of each kind. */
  Absentees(int max, RandomGenerator random) {
    silent = new Sample(max, random);
    returned = new Sample(max, random);
    gone = new Latest<>(max);
  }

  /** A member did not answer. */
  void silent(Member member) {
    // Nobody can say of a contact whether it was heard again, as its life is not known.
    if (!member.isArtificial() && member.life() != 0 && !gone.contains(member)) {
      returned.remove(member);
      silent.add(member);
    }
  }

  /** A member was heard. */
  void heard(Member member) {
    if (silent.remove(member)) {
      returned.add(member);
    }
  }

  /** A member is no more. */
  void gone(Member member) {
    silent.remove(member);
    returned.remove(member);
    gone.add(member);
  }

  /** Whether a member is known to be no more. */
  boolean isGone(Member member) {
    return gone.contains(member);
  }

  /** Whether it is better not to count on a member. */
  boolean isAbsent(Member member) {
    return silent.contains(member) || gone.contains(member);
  }

  /** One of the silent, by chance; null if there is none. */
  @Nullable Member anySilent() {
    return silent.any();
  }

  /** One of those that were silent and are not, by chance; null if there is none. */
  @Nullable Member anyReturned() {
    return returned.any();
  }
}
