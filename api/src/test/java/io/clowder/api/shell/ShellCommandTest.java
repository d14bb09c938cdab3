// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.CoordinationException.Reason;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

class ShellCommandTest {
  @Command(name = "test:say", description = "Says it.")
  private static final class Say extends ShellCommand {
    @Parameters(paramLabel = "WORD")
    private String word = "";

    @Option(names = "--silent")
    private boolean silent;

    @Override
    protected @Nullable Table execute() {
      return silent ? null : new Table("word", "length").row(word, word.length());
    }
  }

  @Test
  void aResultIsATableOrJson() throws Exception {
    assertEquals("WORD  LENGTH\ncat        3", new Say().run("cat"));
    assertEquals(
        "[\n  {\"word\": \"c\\\"t\", \"length\": 3}\n]", new Say().run("-o", "json", "c\"t"));
    assertEquals("", new Say().run("--silent", "cat"));
    assertEquals("[]", new Say().run("--silent", "-o", "JSON", "cat"));
  }

  @Test
  void helpNamesTheOptions() throws Exception {
    String help = new Say().run("--help");
    assertTrue(help.startsWith("Usage: test:say"), help);
    assertTrue(help.contains("--silent") && help.contains("--output"), help);
  }

  @Test
  void wrongWordsGetOneLineThatSaysWhatToDo() {
    for (String[] words : new String[][] {{}, {"a", "b"}, {"--what", "a"}, {"-o", "xml", "a"}}) {
      var e = assertThrows(IllegalArgumentException.class, () -> new Say().run(words));
      assertEquals(1, e.getMessage().lines().count());
      assertTrue(e.getMessage().endsWith("(try: test:say --help)"), e.getMessage());
    }
  }

  @Test
  void aVariableThatIsNotSetIsNamedAsSuch() {
    var e =
        assertThrows(IllegalArgumentException.class, () -> new Say().run(new String[] {"a", null}));
    assertTrue(e.getMessage().startsWith("a word is missing"), e.getMessage());
  }

  @Test
  void aFailedStageFailsWithItsOwnFailure() {
    var failure = new CoordinationException(Reason.TIMEOUT, Outcome.MAY_HAVE_HAPPENED, "no result");
    var direct = CompletableFuture.<String>failedFuture(failure);
    assertSame(
        failure, assertThrows(CoordinationException.class, () -> ShellCommand.await(direct)));
    assertSame(
        failure,
        assertThrows(
            CoordinationException.class,
            () -> ShellCommand.await(direct.thenApply(String::length))));
  }

  @Test
  void aCellStaysOnItsLine() {
    Table table = new Table("key").row("a\nb\u0007").row((Object) null);
    assertEquals("KEY\na\\u000ab\\u0007\n-", table.toText());
    assertEquals("[\n  {\"key\": \"a\\nb\\u0007\"},\n  {\"key\": null}\n]", table.toJson());
    assertThrows(IllegalArgumentException.class, () -> table.row("a", "b"));
  }
}
