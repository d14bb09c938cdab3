// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.NodeId;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One life of a node on the ring. Zave's proof takes a member that once failed to answer for dead,
 * and the dead stay silent; with its life in every pointer that is so, though the node may come
 * back at once.
 *
 * <p>For the upkeep of the ring each life is a place of its own: they are ordered by identifier and
 * then by life, as if the life were so many more bits of the identifier. Were they one place, a
 * list with a dead life in it would not skip the present one, and when it drops the dead one it
 * would: a principal would be lost that never failed, and with it the ground of the proof.
 *
 * @param node null in an artificial entry, with which a successor list is filled up
 * @param life another one each time the node joins, not one more than an earlier one; 0 in a
 *     contact, whose life nobody knows yet
 */
record Member(Identifier id, @Nullable NodeId node, long life) {
  /** Whoever it is that lives on that node. */
  static Member contact(Identifier id, NodeId node) {
    return new Member(id, node, 0);
  }

  /**
   * Whether a member lies strictly between two others, going up from {@code start}: {@link
   * Identifier#between}, of places.
   */
  static boolean between(Member start, Member member, Member end) {
    boolean isAfterStart = start.compare(member) < 0;
    boolean isBeforeEnd = member.compare(end) < 0;
    return start.compare(end) < 0 ? isAfterStart && isBeforeEnd : isAfterStart || isBeforeEnd;
  }

  private int compare(Member other) {
    int byId = id.compareTo(other.id);
    return byId != 0 ? byId : Long.compareUnsigned(life, other.life);
  }

  /** Whether both are at one place. */
  boolean isAtPlaceOf(Member other) {
    return compare(other) == 0;
  }

  /** An entry that is nobody, at the place after this one (Zave, section IV-C). */
  Member artificialNext() {
    return life == -1 ? new Member(id.next(), null, 0) : new Member(id, null, life + 1);
  }

  boolean isArtificial() {
    return node == null;
  }

  /** Whoever it is that lives where this one does. */
  Member anyLife() {
    return new Member(id, node, 0);
  }

  /** Whether a message to {@code target} is for this member. */
  boolean isMeantBy(Member target) {
    return equals(target) || (target.life == 0 && isSameNode(target));
  }

  /** Whether both are lives of one node, at one place of the ring. */
  boolean isSameNode(Member other) {
    return id.equals(other.id) && Objects.equals(node, other.node);
  }

  void write(WireWriter out) {
    id.write(out);
    out.writeLong(life).writeBoolean(node != null);
    if (node != null) {
      out.writeString(node.value());
    }
  }

  static Member read(WireReader in) {
    Identifier id = Identifier.read(in);
    long life = in.readLong();
    return new Member(id, in.readBoolean() ? in.readNode() : null, life);
  }

  @Override
  public boolean equals(Object other) {
    return other == this || (other instanceof Member that && life == that.life && isSameNode(that));
  }

  @Override
  public int hashCode() {
    return id.hashCode() * 31 + Long.hashCode(life);
  }

  @Override
  public String toString() {
    return id.toString().substring(0, 8) + (node == null ? "?" : ":" + node) + "/" + life;
  }
}
