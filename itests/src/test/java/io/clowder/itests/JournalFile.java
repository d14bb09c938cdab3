// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.stream.Stream;

/** A file of a journal that nobody has open, on a disk that is not what it was. */
record JournalFile(Path path) {
  /** The oldest one under a folder. */
  static JournalFile in(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(it -> it.getFileName().toString().endsWith(".journal"))
          .sorted()
          .findFirst()
          .map(JournalFile::new)
          .orElseThrow();
    }
  }

  String name() {
    return path.getFileName().toString();
  }

  /** Turns one bit over in the middle of what was written, which is followed by zeros; where. */
  int flipInTheMiddle() throws IOException {
    byte[] bytes = Files.readAllBytes(path);
    int end = bytes.length;
    while (bytes[end - 1] == 0) {
      end--;
    }
    int middle = end / 2;
    while (bytes[middle] == 0) {
      middle++;
    }
    flip(middle);
    return middle;
  }

  /** Turns one bit over. */
  void flip(int at) throws IOException {
    try (FileChannel channel =
        FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      ByteBuffer one = ByteBuffer.allocate(1);
      channel.read(one, at);
      one.put(0, (byte) (one.get(0) ^ 0x10)).flip();
      channel.write(one, at);
    }
  }
}
