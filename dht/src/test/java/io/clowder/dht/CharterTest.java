// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import org.junit.jupiter.api.Test;

class CharterTest {
  @Test
  void itsBytesComeBack() {
    Charter charter = new Charter(64, 7, "SHA-256");
    WireWriter out = new WireWriter(16);
    charter.write(out);
    WireReader in = new WireReader(out.toByteArray());
    assertEquals(charter, Charter.read(in));
    in.expectEnd();
  }

  @Test
  void itSaysAllThatIsToBeTheSame() {
    Charter charter = new Charter(2, 3, Identifier.SHA_1);
    assertEquals("mode peer, successors 2, replicas 3, hash SHA-1", charter.toString());
    assertEquals(3, charter.foundersMin());
  }
}
