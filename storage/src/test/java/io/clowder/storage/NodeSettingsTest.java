// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.clowder.api.Address;
import io.clowder.api.NodeId;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class NodeSettingsTest {
  @Test
  void readsWhatIsWritten() {
    NodeSettings settings =
        NodeSettings.parse("n2", "c", " n2=127.0.0.1:7002 , n1=[::1]:7001", "/data/n2");
    assertEquals(new NodeId("n2"), settings.id());
    assertEquals(Path.of("/data/n2"), settings.directory());
    assertEquals("[n1, n2]", settings.members().keySet().toString());
    assertEquals(new Address("::1", 7001), settings.members().get(new NodeId("n1")));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "-x | c | n1=h:1 | d | id: node id '-x': use 1 to 64 letters, digits, '.', '_' or '-'",
        "'' | c | n1=h:1 | d | id: node id '': use 1 to 64 letters, digits, '.', '_' or '-'",
        "n1 | '' | n1=h:1 | d | cluster: use 1 to 64 characters, not ''",
        "n1 | c | '' | d | members: write n1=HOST:PORT,n2=HOST:PORT,…",
        "n1 | c | n1 | d | members: 'n1': write NODE=HOST:PORT",
        "n1 | c | n1=h:1, | d | members: '': write NODE=HOST:PORT",
        "n1 | c | n1=h | d | members: address 'h': write HOST:PORT",
        "n1 | c | n1=h:70000 | d | members: port 70000: use 1 to 65535",
        "n1 | c | n1=h:1,n1=h:2 | d | members: node n1 is there twice",
        "n1 | c | n1=h:1,n2=h:1 | d | members: n1 and n2 have the same address h:1",
        "n3 | c | n1=h:1,n2=h:2 | d | members: this node, n3, is not among [n1, n2]",
        "n1 | c | n1=h:1 | '' | directory: name the directory in which this node keeps its state"
      })
  void refusesWithTheKeysName(
      String id, String cluster, String members, String directory, String message) {
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> NodeSettings.parse(id, cluster, members, directory));
    assertEquals(message.replace("''''", "''"), e.getMessage());
  }
}
