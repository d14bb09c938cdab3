// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * A member's successor list: always full, the nearest first. Immutable. What may be done to it is
 * what Zave's section IV-C does, and nothing else.
 */
final class Successors {
  /** The longest list. */
  static final int MAX = 64;

  private final Member[] members;

  private Successors(Member[] members) {
    this.members = members;
  }

  /** A list of 1 to {@link #MAX} members. */
  static Successors of(List<Member> members) {
    if (members.isEmpty() || members.size() > MAX) {
      throw new IllegalArgumentException("a successor list of " + members.size());
    }
    return new Successors(members.toArray(new Member[0]));
  }

  /** Of a member that has no other than itself. */
  static Successors alone(Member me, int size) {
    return of(Collections.nCopies(size, me));
  }

  int size() {
    return members.length;
  }

  Member get(int index) {
    return members[index];
  }

  Member head() {
    return members[0];
  }

  Member last() {
    return members[members.length - 1];
  }

  List<Member> list() {
    return Collections.unmodifiableList(Arrays.asList(members));
  }

  /** Without the head, which is dead, and filled up with the point after the last. */
  Successors withoutHead() {
    Member[] next = Arrays.copyOfRange(members, 1, members.length + 1);
    next[members.length - 1] = last().artificialNext();
    return new Successors(next);
  }

  /** The list of whoever has {@code head} next to it, when this is the list of {@code head}. */
  Successors behind(Member head) {
    Member[] next = new Member[members.length];
    next[0] = head;
    System.arraycopy(members, 0, next, 1, members.length - 1);
    return new Successors(next);
  }

  /** Whether not one is left that was a member. */
  boolean isArtificial() {
    return Arrays.stream(members).allMatch(Member::isArtificial);
  }

  /** Whether its owner knows of nobody but itself, as in {@link #alone}. */
  boolean isAlone(Member me) {
    return Arrays.stream(members).allMatch(me::equals);
  }

  /** Zave's NoDuplicates, of the list with its owner before it. */
  boolean hasDuplicates(Member me) {
    for (int i = 0; i < members.length; i++) {
      for (int j = 0; j < i; j++) {
        if (members[i].isAtPlaceOf(members[j])) {
          return true;
        }
      }
      if (members[i].isAtPlaceOf(me)) {
        return true;
      }
    }
    return false;
  }

  /**
   * Zave's OrderedSuccessorLists, of the list with its owner before it: any three of it lie in this
   * order on the ring, so that it goes round less than once.
   */
  boolean isOrdered(Member me) {
    Member previous = me;
    for (Member member : members) {
      if (!Member.between(previous, member, me)) {
        return false;
      }
      previous = member;
    }
    return true;
  }

  void write(WireWriter out) {
    out.writeVarLong(members.length);
    for (Member member : members) {
      member.write(out);
    }
  }

  static Successors read(WireReader in) {
    int count = in.readCount();
    if (count == 0 || count > MAX) {
      throw new WireFormatException("a successor list of " + count);
    }
    Member[] members = new Member[count];
    for (int i = 0; i < count; i++) {
      members[i] = Member.read(in);
    }
    return new Successors(members);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Successors that && Arrays.equals(members, that.members);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(members);
  }

  @Override
  public String toString() {
    return Arrays.toString(members);
  }
}
