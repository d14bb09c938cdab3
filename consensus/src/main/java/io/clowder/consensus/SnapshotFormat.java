// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.StateMachine;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The content of a snapshot: a head (position, anchor, chain, sessions, who is who), then a section
 * for each machine, by name. Equal states give equal bytes.
 *
 * <pre>
 *   int length, head | { string name, { int n &gt; 0, n bytes }…, int 0 }…
 * </pre>
 */
final class SnapshotFormat {
  private static final int VERSION = 1;
  private static final int PIECE_BYTES = 64 << 10;

  /** Heads hold the sessions' results, of which there may be many. */
  private static final int HEAD_BYTES_MAX = 1 << 30;

  private SnapshotFormat() {}

  /**
   * Where the group's log has been and where it goes.
   *
   * @param segments so far, the last one is current
   * @param pending the segment that is prepared, if any
   * @param patienceMillis how long a leader waits for that
   * @param lastNumber the highest number ever prepared
   */
  record Chain(
      List<Segment> segments, @Nullable Segment pending, int patienceMillis, int lastNumber) {
    Chain {
      segments = List.copyOf(segments);
    }

    /** The number of the segment that the position is in; -1 before there is one. */
    int current() {
      return segments.isEmpty() ? -1 : segments.get(segments.size() - 1).number();
    }

    private void write(WireWriter out) {
      out.writeVarLong(segments.size());
      segments.forEach(segment -> segment.write(out));
      out.writeBoolean(pending != null);
      if (pending != null) {
        pending.write(out);
        out.writeInt(patienceMillis);
      }
      out.writeVarLong(lastNumber);
    }

    private static Chain read(WireReader in) {
      List<Segment> segments = new ArrayList<>();
      for (int i = in.readCount(); i > 0; i--) {
        segments.add(Segment.read(in));
      }
      boolean more = in.readBoolean();
      Segment pending = more ? Segment.read(in) : null;
      int patienceMillis = more ? in.readInt() : 0;
      return new Chain(segments, pending, patienceMillis, (int) in.readVarLong());
    }
  }

  /**
   * All but the machines.
   *
   * @param position the last position covered
   * @param timeMillis the time of the log there
   * @param anchor what the core of the last segment needs to know of the position
   * @param chain the segments so far and the next
   * @param sessions the session table
   * @param incarnations the directory of each node that ever opened a session
   * @param machines the names of the machines whose sections follow
   */
  record Head(
      long position,
      long timeMillis,
      byte[] anchor,
      Chain chain,
      Sessions sessions,
      SortedMap<NodeId, Long> incarnations,
      List<String> machines) {

    byte[] encode() {
      WireWriter out = new WireWriter(4096);
      out.writeByte(VERSION).writeVarLong(position).writeLong(timeMillis).writeBytes(anchor);
      chain.write(out);
      sessions.write(out);
      out.writeVarLong(incarnations.size());
      incarnations.forEach((node, directory) -> out.writeString(node.value()).writeLong(directory));
      out.writeVarLong(machines.size());
      machines.forEach(out::writeString);
      return out.toByteArray();
    }

    static Head decode(byte[] bytes) {
      WireReader in = new WireReader(bytes);
      int version = in.readByte();
      if (version != VERSION) {
        throw new WireFormatException("snapshot of version " + version + ", known is " + VERSION);
      }
      long position = in.readVarLong();
      long time = in.readLong();
      byte[] anchor = in.readBytes(Limits.RECORD_BYTES);
      Chain chain = Chain.read(in);
      Sessions sessions = new Sessions();
      sessions.read(in);
      SortedMap<NodeId, Long> incarnations = new TreeMap<>();
      for (int i = in.readCount(); i > 0; i--) {
        incarnations.put(new NodeId(in.readString(64)), in.readLong());
      }
      List<String> machines = new ArrayList<>();
      for (int i = in.readCount(); i > 0; i--) {
        machines.add(in.readString(Envelope.MACHINE_BYTES));
      }
      in.expectEnd();
      return new Head(position, time, anchor, chain, sessions, incarnations, machines);
    }
  }

  /** A state captured at one position, to be written out while later entries are applied. */
  record Capture(
      long position,
      Chain chain,
      byte[] anchor,
      byte[] head,
      SortedMap<String, StateMachine.Snapshot> machines) {
    void writeTo(OutputStream target) throws IOException {
      DataOutputStream out = new DataOutputStream(target);
      out.writeInt(head.length);
      out.write(head);
      for (Map.Entry<String, StateMachine.Snapshot> machine : machines.entrySet()) {
        out.writeUTF(machine.getKey());
        try (Pieces pieces = new Pieces(out)) {
          machine.getValue().writeTo(pieces);
        }
      }
      out.flush();
    }
  }

  static Head readHead(DataInputStream in) throws IOException {
    int length = in.readInt();
    if (length < 0 || length > HEAD_BYTES_MAX) {
      throw new IOException("a snapshot's head of " + length + " bytes");
    }
    byte[] bytes = in.readNBytes(length);
    if (bytes.length < length) {
      throw new EOFException("a snapshot that ends in its head");
    }
    try {
      return Head.decode(bytes);
    } catch (WireFormatException | IllegalArgumentException e) {
      throw new IOException("a snapshot's head: " + e.getMessage(), e);
    }
  }

  /** The section of the next machine: its name is read, its content follows. */
  static InputStream section(DataInputStream in) {
    return new Section(in);
  }

  /**
   * Cuts what is written into pieces of one size, the last but shorter, and ends with an empty one.
   */
  private static final class Pieces extends OutputStream {
    private final DataOutputStream out;
    private final byte[] piece = new byte[PIECE_BYTES];
    private int size;

    Pieces(DataOutputStream out) {
      this.out = out;
    }

    @Override
    public void write(int b) throws IOException {
      if (size == piece.length) {
        flushPiece();
      }
      piece[size++] = (byte) b;
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      for (int done = 0; done < length; ) {
        if (size == piece.length) {
          flushPiece();
        }
        int part = Math.min(length - done, piece.length - size);
        System.arraycopy(bytes, offset + done, piece, size, part);
        size += part;
        done += part;
      }
    }

    private void flushPiece() throws IOException {
      out.writeInt(size);
      out.write(piece, 0, size);
      size = 0;
    }

    @Override
    public void close() throws IOException {
      if (size > 0) {
        flushPiece();
      }
      out.writeInt(0);
    }
  }

  /** Reads pieces up to the empty one; closing skips to it. */
  private static final class Section extends InputStream {
    private final DataInputStream in;
    private int left;
    private boolean ended;

    Section(DataInputStream in) {
      this.in = in;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      if (length == 0) {
        return 0;
      }
      if (left == 0 && !ended) {
        left = in.readInt();
        ended = left == 0;
        if (left < 0 || left > PIECE_BYTES) {
          throw new IOException("a snapshot's piece of " + left + " bytes");
        }
      }
      if (ended) {
        return -1;
      }
      int part = in.read(bytes, offset, Math.min(left, length));
      if (part < 0) {
        throw new EOFException("a snapshot that ends in a section");
      }
      left -= part;
      return part;
    }

    @Override
    public void close() throws IOException {
      transferTo(OutputStream.nullOutputStream());
    }
  }
}
