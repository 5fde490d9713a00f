"""From HL7's own definitions to the tables of facts under schemas/: names, numbers, codes and ids, no sentence."""
