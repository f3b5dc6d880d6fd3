from nrm.cli import main

main(prog_name="nrm")
