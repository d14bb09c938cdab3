// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import org.apache.felix.gogo.runtime.CommandProcessorImpl;
import org.apache.felix.service.command.CommandSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GogoLineTest {
  @Test
  void aSingleWordIsALineOfTheShell() {
    assertEquals("lb | grep x", GogoLine.of(List.of("lb | grep x")));
  }

  @Test
  void plainWordsStayAsTheyAre() {
    assertEquals("kv:get --local a/b", GogoLine.of(List.of("kv:get", "--local", "a/b")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "hello world",
        "  two  ",
        "",
        "null",
        "true",
        "007",
        "1.0",
        "-5",
        "it's",
        "'",
        "''",
        "\"",
        "\\",
        "a\\nb",
        "\\'",
        "'\\",
        "$x",
        "${x}",
        "$(x)",
        "100%",
        "%(1+2)",
        "a|b;c&d",
        "<x> y",
        "{a,b}",
        "[1 2]",
        "(x)",
        "#c",
        "~",
        "*",
        "?",
        "!",
        "`x`",
        "l1\nl2\tT",
        "größe 日本 🐱",
        "{'a':\"b\"}"
      })
  void everyOtherWordMeansItself(String word) throws Exception {
    CommandProcessorImpl gogo = new CommandProcessorImpl(null);
    gogo.addCommand("test", new Echo(), "echo");
    try (CommandSession session =
        gogo.createSession(
            InputStream.nullInputStream(),
            OutputStream.nullOutputStream(),
            OutputStream.nullOutputStream())) {
      String line = GogoLine.of(List.of("test:echo", "plain", word, "--last"));
      assertEquals(List.of("plain", word, "--last"), session.execute(line));
    } finally {
      gogo.stop();
    }
  }

  /** A command that gives back its words. */
  public static final class Echo {
    /** Gives them back. */
    public List<String> echo(String... words) {
      return List.of(words);
    }
  }
}
