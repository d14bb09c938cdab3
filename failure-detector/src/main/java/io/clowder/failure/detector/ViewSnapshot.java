// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.NodeId;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import io.clowder.failure.detector.ViewState.Stance;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;

/**
 * The view as a file: a byte of format; segment, number and position; members; the removed ones of
 * them; a count, and for each stance in the order of the observers observer, incarnation, session
 * and suspects. Nothing at all stands for the state of the beginning.
 */
final class ViewSnapshot {
  private static final int FORMAT = 1;

  /** Everybody suspects everybody. */
  private static final int BYTES_MAX = (NodeCodec.NODES_MAX + 4) * (NodeCodec.NODES_MAX + 4) * 80;

  private ViewSnapshot() {}

  static void write(ViewState state, OutputStream stream) throws IOException {
    WireWriter out = new WireWriter(1024);
    out.writeByte(FORMAT).writeInt(state.segment());
    out.writeVarLong(state.number()).writeVarLong(state.position());
    NodeCodec.writeNodes(out, state.members());
    NodeCodec.writeNodes(out, state.removed());
    out.writeVarLong(state.stances().size());
    state
        .stances()
        .forEach(
            (observer, stance) -> {
              NodeCodec.writeNode(out, observer);
              out.writeVarLong(stance.incarnation()).writeLong(stance.session());
              NodeCodec.writeLives(out, stance.suspects());
            });
    stream.write(out.array(), 0, out.size());
  }

  /** Reads what {@link #write} wrote, and refuses anything else with an {@link IOException}. */
  static ViewState read(InputStream stream) throws IOException {
    byte[] bytes = stream.readNBytes(BYTES_MAX + 1);
    if (bytes.length == 0) {
      return ViewState.EMPTY;
    }
    if (bytes.length > BYTES_MAX) {
      throw new IOException("fd snapshot of more than " + BYTES_MAX + " bytes");
    }
    WireReader in = new WireReader(bytes);
    int format = in.readByte();
    if (format != FORMAT) {
      throw new IOException("fd snapshot of format " + format + ", which is not known here");
    }
    try {
      ViewState state = read(in);
      in.expectEnd();
      check(state);
      return state;
    } catch (WireFormatException e) {
      throw new IOException("fd snapshot is corrupt: " + e.getMessage(), e);
    }
  }

  private static ViewState read(WireReader in) {
    int segment = in.readInt();
    long number = in.readVarLong();
    long position = in.readVarLong();
    SortedSet<NodeId> members = NodeCodec.readNodes(in);
    SortedSet<NodeId> removed = NodeCodec.readNodes(in);
    SortedMap<NodeId, Stance> stances = new TreeMap<>();
    for (int left = NodeCodec.readCount(in); left > 0; left--) {
      NodeId observer = in.readNode();
      NodeCodec.inOrder(stances.keySet(), observer);
      long incarnation = NodeCodec.readIncarnation(in);
      long session = in.readLong();
      stances.put(observer, new Stance(incarnation, session, NodeCodec.readLives(in)));
    }
    return new ViewState(segment, members, removed, stances, number, position);
  }

  /** No entries lead to any other state. */
  private static void check(ViewState state) {
    boolean isEmpty = state.members().isEmpty();
    need(state.segment() >= -1 && isEmpty == (state.segment() < 0), "segment");
    need(state.number() >= 0 && isEmpty == (state.number() == 0), "number");
    need(state.position() >= state.number(), "position");
    need(state.members().containsAll(state.removed()), "a stranger is removed");
    int removable = Tally.removableOf(state.members().size());
    need(state.removed().size() <= removable, "too many are removed");
    state
        .stances()
        .forEach(
            (observer, stance) -> {
              SortedMap<NodeId, Long> suspects = stance.suspects();
              need(state.members().contains(observer), "a stranger's word");
              need(stance.incarnation() > 0, "a word of no life");
              need(state.members().containsAll(suspects.keySet()), "a stranger is suspected");
              need(!suspects.containsKey(observer), "one suspects itself");
              need(state.isInView(observer) || suspects.isEmpty(), "a removed one's word");
            });
  }

  private static void need(boolean condition, String what) {
    if (!condition) {
      throw new WireFormatException(what);
    }
  }
}
