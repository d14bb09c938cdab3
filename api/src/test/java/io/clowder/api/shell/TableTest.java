// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import org.junit.jupiter.api.Test;

class TableTest {
  @Test
  void aColumnGoesOnlyIfNothingIsInIt() {
    Table table = new Table("a", "b", "c").row(1, "", null).row(2, null, "x");
    assertEquals("A  C\n1  -\n2  x", table.withoutIfEmpty("b").toText());
    assertSame(table, table.withoutIfEmpty("c"));
    assertEquals("A", new Table("a", "b").withoutIfEmpty("b").toText());
  }

  @Test
  void aTableWithinATableIsAnArrayOnTheLineOfItsRow() {
    Table inner = new Table("x", "y").row("1\n", 2).row(null, true);
    assertEquals(
        "[\n  {\"a\": [{\"x\": \"1\\n\", \"y\": 2}, {\"x\": null, \"y\": true}], \"b\": []}\n]",
        new Table("a", "b").row(inner, new Table("z")).toJson());
  }
}
