// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.ArrayList;
import java.util.List;

/**
 * A lookup on its way.
 *
 * @param origin who wants to know, and is told by whoever is found
 * @param ticket by which the origin knows it
 * @param attempt how often the origin has begun it before
 * @param isForPredecessor whether the member before the key is sought, as by who wants to join
 *     there, and not the key's owner
 * @param path whom it has passed, the origin left out
 * @param claims how many of these were asked whether they own the key
 * @param timeouts how many did not answer
 */
record Query(
    Member origin,
    long ticket,
    int attempt,
    Identifier key,
    boolean isForPredecessor,
    List<Member> path,
    int claims,
    int timeouts) {
  Query {
    path = List.copyOf(path);
  }

  /** When it has come to another member. */
  Query at(Member member, boolean isClaim) {
    List<Member> longer = new ArrayList<>(path.size() + 1);
    longer.addAll(path);
    longer.add(member);
    return new Query(
        origin,
        ticket,
        attempt,
        key,
        isForPredecessor,
        longer,
        claims + (isClaim ? 1 : 0),
        timeouts);
  }

  /** When a member did not answer. */
  Query timedOut() {
    return new Query(origin, ticket, attempt, key, isForPredecessor, path, claims, timeouts + 1);
  }

  /** When the origin begins it again, after so many members have not answered. */
  Query again(int lostTimeouts) {
    return new Query(
        origin, ticket, attempt + 1, key, isForPredecessor, List.of(), 0, timeouts + lostTimeouts);
  }

  void write(WireWriter out) {
    origin.write(out);
    out.writeVarLong(ticket).writeVarLong(attempt);
    key.write(out);
    out.writeBoolean(isForPredecessor);
    RingMessage.writePath(out, path);
    out.writeVarLong(claims).writeVarLong(timeouts);
  }

  static Query read(WireReader in) {
    return new Query(
        Member.read(in),
        in.readVarLong(),
        RingMessage.readSmall(in),
        Identifier.read(in),
        in.readBoolean(),
        RingMessage.readPath(in),
        RingMessage.readSmall(in),
        RingMessage.readSmall(in));
  }
}
