"""``help``: what ``--help`` says, for those who write it as a word."""

import click


@click.command("help", hidden=True)
@click.argument("words", nargs=-1, metavar="[COMMAND]...")
@click.pass_context
def help_command(ctx: click.Context, words: tuple[str, ...]) -> None:
    """Show the help of tokentail, or of a command."""
    context = ctx.find_root()
    command = context.command
    for word in words:
        child = command.get_command(context, word) if isinstance(command, click.Group) else None
        if child is None:
            raise click.UsageError(f"No such command {word!r}.", ctx=context)
        command, context = child, click.Context(child, info_name=word, parent=context)
    click.echo(context.get_help())
