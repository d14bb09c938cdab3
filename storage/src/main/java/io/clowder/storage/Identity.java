// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import io.clowder.api.NodeId;
import io.clowder.api.storage.Disk;
import io.clowder.api.storage.Storage.CorruptionException;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Whose directory it is.
 *
 * @param node the node
 * @param cluster its cluster
 * @param incarnation drawn when the directory was made; not 0
 */
record Identity(NodeId node, String cluster, long incarnation) {
  private static final String PATH = "identity";
  private static final String TEMPORARY = "identity.new";
  private static final Envelope ENVELOPE = new Envelope("CLWDNODE", 1);
  private static final int BYTES_MAX = 4096;

  /** Reads the identity and compares it, or writes it into a directory without state. */
  static Identity open(Disk disk, NodeId node, String cluster, RandomGenerator random)
      throws IOException {
    List<String> names = disk.list("");
    if (!names.contains(PATH)) {
      return create(disk, node, cluster, random);
    }
    Identity found = read(disk);
    if (!found.node.equals(node) || !found.cluster.equals(cluster)) {
      throw new IOException(
          "belongs to node '"
              + found.node
              + "' of cluster '"
              + found.cluster
              + "', not to node '"
              + node
              + "' of cluster '"
              + cluster
              + "'");
    }
    // Whoever made it may have been killed before its name was durable.
    disk.syncDirectory("");
    return found;
  }

  private static Identity read(Disk disk) throws IOException {
    try (Disk.File file = disk.open(PATH, false)) {
      ByteBuffer bytes = ByteBuffer.allocate((int) Math.min(BYTES_MAX, file.size()));
      if (file.read(0, bytes) != bytes.capacity()) {
        throw new CorruptionException(PATH + ": the file ends early");
      }
      WireReader in = ENVELOPE.unwrap(bytes.array(), PATH);
      NodeId node = new NodeId(in.readString(BYTES_MAX));
      Identity identity = new Identity(node, in.readString(BYTES_MAX), in.readLong());
      in.expectEnd();
      return identity;
    } catch (WireFormatException | IllegalArgumentException e) {
      throw new CorruptionException(PATH + " at offset 16: " + e.getMessage());
    }
  }

  private static Identity create(Disk disk, NodeId node, String cluster, RandomGenerator random)
      throws IOException {
    for (String state : List.of(DiskStorage.JOURNALS, DiskStorage.SNAPSHOTS)) {
      if (!disk.list(state).isEmpty()) {
        throw new IOException(
            "has " + state + " but no file 'identity': whose they are cannot be told");
      }
    }
    long incarnation = random.nextLong();
    while (incarnation == 0) {
      incarnation = random.nextLong();
    }
    WireWriter body = new WireWriter(128);
    body.writeString(node.value()).writeString(cluster).writeLong(incarnation);
    disk.delete(TEMPORARY);
    try (Disk.File file = disk.open(TEMPORARY, true)) {
      file.writeDurably(0, ByteBuffer.wrap(ENVELOPE.wrap(body)));
    }
    disk.rename(TEMPORARY, PATH);
    disk.syncDirectory("");
    return new Identity(node, cluster, incarnation);
  }
}
