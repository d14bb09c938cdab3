// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.Limits;
import io.clowder.api.dht.DhtVersion;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import org.jspecify.annotations.Nullable;

/**
 * What was written last to a key, a removal included. Its arrays are nobody else's.
 *
 * @param id where the key is on the ring
 * @param content null if the key was removed: a tombstone
 * @param until when it ends, in milliseconds since 1970 by the owner's clock; 0 for never. A
 *     tombstone ends when nobody may have an older value any more
 * @param request the write that it came by
 */
@SuppressWarnings("ArrayRecordComponent") // Not compared.
record Value(
    Identifier id,
    byte[] key,
    DhtVersion version,
    byte @Nullable [] content,
    long until,
    RequestKey request) {
  /** What it takes beside key and content, about. */
  private static final int OVERHEAD_BYTES = 80;

  /** Whether there is something to read at that time. */
  boolean isThere(long wallMillis) {
    return content != null && (until == 0 || wallMillis < until);
  }

  /**
   * Whether it need not be kept any more.
   *
   * @param graceMillis how long what has expired is kept, so that older copies do not come back
   */
  boolean isOver(long wallMillis, long graceMillis) {
    return until != 0 && wallMillis - until >= (content == null ? 0 : graceMillis);
  }

  /** Bytes that it takes, about. */
  int size() {
    return OVERHEAD_BYTES + key.length + (content == null ? 0 : content.length);
  }

  boolean isNewerThan(@Nullable Value other) {
    return other == null || version.compareTo(other.version) > 0;
  }

  void write(WireWriter out) {
    id.write(out);
    out.writeBytes(key).writeVarLong(version.major()).writeLong(version.minor());
    out.writeVarLong(until);
    request.write(out);
    out.writeBoolean(content != null);
    if (content != null) {
      out.writeBytes(content);
    }
  }

  static Value read(WireReader in) {
    Identifier id = Identifier.read(in);
    byte[] key = in.readBytes(Limits.KEY_BYTES);
    DhtVersion version = readVersion(in);
    long until = in.readVarLong();
    RequestKey request = RequestKey.read(in);
    byte[] content = in.readBoolean() ? in.readBytes(Limits.VALUE_BYTES) : null;
    return new Value(id, key, version, content, until, request);
  }

  static void writeVersion(WireWriter out, DhtVersion version) {
    out.writeVarLong(version.major()).writeLong(version.minor());
  }

  static DhtVersion readVersion(WireReader in) {
    long major = in.readVarLong();
    if (major < 0) {
      throw new io.clowder.api.wire.WireFormatException("a version of " + major);
    }
    return new DhtVersion(major, in.readLong());
  }

  @Override
  public String toString() {
    return id.toString().substring(0, 8) + "=" + version + (content == null ? " removed" : "");
  }
}
