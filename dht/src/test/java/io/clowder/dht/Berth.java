// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.dht.RingMessage.State;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Whoever lives in a {@link RingWorld}: a node under test, or the published Chord. */
interface Berth {
  Member me();

  boolean isMember();

  /** Itself if it knows none. */
  Member predecessor();

  List<Member> successors();

  /**
   * The successors that it is to have from this answer on, which is on its way; null if it will not
   * be a member even then.
   */
  @Nullable List<Member> successorsBy(Member source, State answer);

  void received(Envelope envelope, long now);

  void tick(long now);

  long dueAt();

  /** A node of ours. */
  record Ours(RingNode node) implements Berth {
    @Override
    public Member me() {
      return node.me();
    }

    @Override
    public boolean isMember() {
      return node.isMember();
    }

    @Override
    public Member predecessor() {
      return node.predecessor();
    }

    @Override
    public List<Member> successors() {
      return node.successors().list();
    }

    @Override
    public @Nullable List<Member> successorsBy(Member source, State answer) {
      if (isMember()) {
        return answer.successors().behind(source).list();
      }
      boolean isMyPlace = Member.between(source, me(), answer.successors().head());
      return isMyPlace ? answer.successors().list() : null;
    }

    @Override
    public void received(Envelope envelope, long now) {
      node.received(envelope, now);
    }

    @Override
    public void tick(long now) {
      node.tick(now);
    }

    @Override
    public long dueAt() {
      return node.dueAt();
    }
  }
}
