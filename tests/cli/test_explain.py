# SPDX-License-Identifier: GPL-2.0-only
"""`fhsim explain`: values of registers, and messages with such, in words.

Expected answers are those of the architecture manual for the values; the messages are of the forms
in which the programs print them.
"""

import json

import pytest


def reports(fhsim, tmp_path, text, *arguments):
    path = tmp_path / "pasted.txt"
    path.write_text(text)
    result = fhsim("explain", path, "--json", *arguments)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)["reports"]


def one_report(fhsim, tmp_path, text, *arguments):
    (report,) = reports(fhsim, tmp_path, text, *arguments)
    return report


def from_values(fhsim, *arguments):
    result = fhsim("explain", "--json", *arguments)
    assert result.returncode == 0, result.stderr
    (report,) = json.loads(result.stdout)["reports"]
    return report


def values(report):
    return {value["name"]: int(value["value"], 16) for value in report["values"]}


def text_of(report, name):
    return next(value["text"] for value in report["values"] if value["name"] == name)


def field(report, name, field_name):
    value = next(value for value in report["values"] if value["name"] == name)
    return value["fields"][field_name]["text"]


def said(report, part):
    return {sentence["id"]: sentence["text"] for sentence in report[part]}


# --- Values on the command line ------------------------------------------------------------------


def test_syndrome_and_hpfar_give_address_access_size_register_and_level(fhsim):
    report = from_values(fhsim, "esr=0x93830045", "hpfar=0x880cb00")
    sentence = said(report, "together")["abort"]
    for part in ("write of 4 bytes from W3", "IPA 0x880cb0000", "translation fault", "level 1"):
        assert part in sentence


def test_far_gives_the_offset_in_the_page(fhsim):
    report = from_values(
        fhsim, "esr=0x93830045", "hpfar=0x880cb00", "far=0xffff800010005018"
    )
    assert "IPA 0x880cb0018" in said(report, "together")["abort"]


def test_far_has_no_offset_for_a_fault_on_a_stage_1_table(fhsim):
    report = from_values(fhsim, "esr=0x92000087", "hpfar=0x880cb00", "far=0x18")
    assert "page of IPA 0x880cb0000" in said(report, "together")["abort"]
    assert "table_walk" in said(report, "notes")


@pytest.mark.parametrize(
    "syndrome, note",
    [
        ("0x92000045", "isv"),
        ("0x92000147", "cache_maintenance"),
        ("0x9200004f", "permission"),
        ("0x92000061", "alignment"),
        ("0x92000010", "external"),
        ("0x92000003", "address_size"),
        ("0x9200000b", "access_flag"),
        ("0x92000030", "tlb_conflict"),
        ("0x9200003f", "reserved"),
        ("0xae000000", "reserved"),
        ("0x02000000", "class_0"),
    ],
)
def test_what_commonly_goes_wrong_is_said(fhsim, syndrome, note):
    assert note in said(from_values(fhsim, f"esr={syndrome}"), "notes")


def test_nothing_is_said_to_go_wrong_with_a_described_access(fhsim):
    assert said(from_values(fhsim, "esr=0x93830045"), "notes") == {}


def test_a_fault_address_of_a_class_that_writes_none_is_stale(fhsim):
    report = from_values(fhsim, "esr=0x5a000000", "hpfar=0x880cb00")
    assert "stale" in said(report, "notes")


def test_a_vector_that_faults_on_itself_is_named(fhsim):
    report = from_values(
        fhsim, "esr=0x82000006", "pc=0xffff800010081200", "far=0xffff800010081200"
    )
    assert "vector" in said(report, "notes")
    report = from_values(fhsim, "esr=0x82000006", "pc=0x81200", "far=0x81204")
    assert "vector" not in said(report, "notes")


def test_the_stored_value_stands_in_the_sentence(fhsim):
    report = from_values(fhsim, "esr=0x93830045", "x3=0xcafe", "x4=1")
    assert "from W3 = 0xcafe" in said(report, "together")["abort"]


def test_any_register_of_the_architecture_is_known(fhsim):
    report = from_values(fhsim, "vtcr=0x80023558", "SCTLR_EL1=0x30d0198d", "s3_4_c2_c1_0=0")
    assert [value["register"] for value in report["values"]] == [
        "VTCR_EL2", "SCTLR_EL1", "VTTBR_EL2",
    ]  # fmt: skip
    assert field(report, "vtcr", "T0SZ") == "24"
    assert field(report, "SCTLR_EL1", "M") == "yes"


def test_tables_are_walked_with_the_descriptors_that_are_given(fhsim):
    registers = ("vtcr=0x80023558", "vttbr=0x0003000041234000", "hcr=0x80000001", "ipa=0x345678")
    tables = ("pud=0x41240003", "pmd=0x41250003", "pte=0x40000000345747")
    report = from_values(fhsim, *registers, *tables, "esr=0x9200004f")
    together = said(report, "together")
    assert "IPAs of 40 bits" in together["stage2_form"]
    assert "level 1, with 2 tables" in together["stage2_form"]
    assert "permission fault, level 3" in together["walk"]
    assert "says the same" in together["walk"]
    report = from_values(fhsim, *registers, *tables, "esr=0x92000007")
    assert "physical address 0x345678" in said(report, "together")["walk"]
    assert "says otherwise" in said(report, "together")["walk"]
    report = from_values(fhsim, *registers, tables[0])
    assert "0x41240008, which is not given" in said(report, "together")["walk"]


@pytest.mark.parametrize("name,what", [
    ("spsr_el1", "saved state of EL1"), ("SPSR_EL2", "saved state of EL2"),
    ("spsr_hyp", "saved state of EL2"), ("spsr_el3", "saved state of EL3"),
    ("spsr", "saved state"), ("PSTATE", "state of the processor"), ("cpsr", "state of the processor"),
])
def test_a_state_is_that_of_the_level_that_its_register_names(fhsim, name, what):
    assert text_of(from_values(fhsim, f"{name}=0x600003c5"), name).split(":")[0] == what


def test_a_number_without_a_name_is_not_guessed_at(fhsim):
    result = fhsim("explain", "0x93830045")
    assert result.returncode == 2
    assert "esr=" in result.stdout and "address" in result.stdout


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["ers=0x1"], "did you mean 'esr'?"),
        (["esr=0x1g"], "is no number"),
        (["esr=0x12345678123456789"], "is no number"),
        (["esr="], "is no number"),
        (["esr=0x1", "file"], "either values"),
        (["no-such-file"], "cannot open"),
        (["esr=0x1", "--machine", "sepc"], "sepc"),
    ],
)
def test_bad_arguments_end_with_status_2(fhsim, arguments, message):
    result = fhsim("explain", *arguments)
    assert result.returncode == 2
    assert message in result.stderr
    assert result.stdout == ""


def test_a_file_without_values_ends_with_status_2(fhsim, tmp_path):
    path = tmp_path / "poem.txt"
    path.write_text("A par for the code: so far, so good. EC is 5, and that is status quo.\n")
    result = fhsim("explain", path)
    assert result.returncode == 2
    assert "no value" in result.stderr and result.stdout == ""


# --- What KCore does -----------------------------------------------------------------------------


def test_a_machine_says_what_its_kcore_does(fhsim):
    report = from_values(
        fhsim, "esr=0x93830045", "hpfar=0x880cb00", "--machine", "spec"
    )
    machine = said(report, "machine")
    assert "beyond HPFAR_MASK (0xffff) of spec" in machine["hpfar_mask"]
    assert "0xcb0000" in machine["hpfar_mask"]
    assert "device memory" in machine["host_maps"]
    assert "panics" in machine["vm_halts"]


def test_the_shipped_kernel_maps_an_address_without_memory_as_a_device(fhsim):
    report = from_values(
        fhsim, "esr=0x93830045", "hpfar=0x880cb00", "--machine", "sekvm-4.18"
    )
    machine = said(report, "machine")
    assert "hpfar_mask" not in machine
    assert "device memory" in machine["host_maps"] and "at 0x880cb0000:" in machine["host_maps"]
    assert "lets the host handle it" in machine["vm_host_is_told"]


def test_an_access_of_a_vm_to_a_register_is_taken_or_not(fhsim):
    report = from_values(fhsim, "esr=0x623a3016", "--machine", "sekvm-4.18")
    assert "taken to EL2 by HCR_EL2.IMO" in said(report, "machine")["taken_of_vms"]
    report = from_values(fhsim, "esr=0x62383400", "--machine", "sekvm-4.18")
    assert "write of TPIDR_EL1 is not taken" in said(report, "machine")["taken_of_vms"]


def test_an_address_within_the_mask_is_not_called_beyond(fhsim):
    report = from_values(fhsim, "esr=0x93830045", "hpfar=0x9000", "--machine", "spec")
    assert "hpfar_mask" not in said(report, "machine")
    assert "at 0x900000:" in said(report, "machine")["host_maps"]


def test_a_machine_says_where_the_spec_keeps_a_register(fhsim):
    report = from_values(fhsim, "pmselr_el0=1", "--machine", "spec")
    assert "trap_regs.pmuselr_el0" in said(report, "machine")["spec_place"]
    report = from_values(fhsim, "sctlr=1", "--machine", "spec")
    assert "ctxt_regs.sctlr_el1" in said(report, "machine")["spec_place"]
    assert "number 49" in said(report, "machine")["spec_place"]


@pytest.mark.parametrize(
    "descriptor, names",
    [
        ("0x345fff", "PAGE_S2_KERNEL"),
        ("0x40000009000747", "PAGE_S2_DEVICE"),
        ("0x400000090007c7", "PAGE_S2_DEVICE | S2_RDWR"),
        ("0x200000000345fff", "PAGE_GUEST | PAGE_S2_KERNEL"),
    ],
)
def test_a_machine_names_the_bits_of_a_descriptor(fhsim, descriptor, names):
    report = from_values(fhsim, f"pte={descriptor}", "--machine", "spec")
    assert f"are {names} in KCore" in said(report, "machine")["descriptor_names"]


def test_the_control_that_takes_an_access_is_named(fhsim):
    report = from_values(fhsim, "esr=0x623a3016", "hcr=0x8078663f")
    assert "HCR_EL2.IMO takes it" in said(report, "together")["taken_by"]
    report = from_values(fhsim, "esr=0x62383400", "hcr=0x8078663f")
    assert "taken_by" not in said(report, "together"), "nothing takes TPIDR_EL1"


def test_a_hypercall_is_named(fhsim):
    report = from_values(fhsim, "esr=0x5a000000", "x0=15", "--machine", "spec")
    assert "SET_BOOT_INFO, which is handled by set_boot_info" in said(report, "machine")["host_call"]
    assert "none that spec knows" in said(report, "machine")["vm_call"]


# --- Messages ------------------------------------------------------------------------------------


def test_unsupported_fsc_of_kvm(fhsim, tmp_path):
    report = one_report(
        fhsim, tmp_path,
        "[  666.509647] kvm [7765]: Unsupported FSC: EC=0x24 xFSC=0x21 ESR_EL2=0x92000061\n",
    )  # fmt: skip
    assert values(report) == {"EC": 0x24, "xFSC": 0x21, "ESR_EL2": 0x92000061}
    assert "DABT_LOW" in text_of(report, "EC")
    assert text_of(report, "xFSC") == "alignment fault"
    assert field(report, "ESR_EL2", "WnR") == "write"
    assert any("KVM could do nothing" in message["text"] for message in report["messages"])


def test_lines_of_xen_are_reports_of_their_own(fhsim, tmp_path):
    found = reports(
        fhsim, tmp_path,
        "(XEN) traps.c:1986:d0v1 HSR=0x93880045 pc=0x00007f97b14e70 gva=0x7f7f817000"
        " gpa=0x0000401315d000\n"
        "(XEN) traps.c:1999:d0v0 HSR=0x93830007 pc=0xc0b097f8 gva=0xf0805000"
        " gpa=0x000000e6080000\n"
        "(XEN) traps.c:2013:d0v3 HSR=0x93820047 pc=0xffff8000104aec2c gva=0xffff80001000522c"
        " gpa=0x000000e111022c\n",
    )  # fmt: skip
    sentences = [said(report, "together")["abort"] for report in found]
    wanted = [
        ("write of 4 bytes from W8", "IPA 0x401315d000", "level 1", "0x7f97b14e70"),
        ("read of 4 bytes into W3", "IPA 0xe6080000", "level 3", "0xc0b097f8"),
        ("write of 4 bytes from W2", "IPA 0xe111022c", "level 3", "0xffff8000104aec2c"),
    ]
    assert len(sentences) == 3
    for sentence, parts in zip(sentences, wanted):
        assert all(part in sentence for part in (*parts, "stage 2")), sentence


SMMU = """\
arm-smmu 15000000.iommu: Unexpected global fault, this could be serious
arm-smmu 15000000.iommu: GFSR 0x00000002, GFSYNR0 0x00000002, GFSYNR1 0x00000043, GFSYNR2 0x00000000
arm-smmu 5000000.iommu: Unhandled context fault: fsr=0x402, iova=0xff3cf000, fsynr=0x300003, \
cbfrsynra=0x409, cb=10
"""


def test_global_and_context_faults_of_an_smmu(fhsim, tmp_path):
    global_fault, context_fault = reports(fhsim, tmp_path, SMMU)
    assert field(global_fault, "GFSR", "USF") == "yes"
    assert field(global_fault, "GFSYNR0", "WNR") == "write"
    assert "stream 0x43" in said(global_fault, "together")["smmu_global_fault"]
    assert "matches no stream mapping group" in said(global_fault, "together")["smmu_global_fault"]
    assert field(context_fault, "fsr", "FORMAT") == "AArch64"
    sentence = said(context_fault, "together")["smmu_context_fault"]
    for part in ("stream 0x409", "read", "0xff3cf000", "bank 10", "translation fault", "level 3"):
        assert part in sentence


OOPS = """\
Unable to handle kernel paging request at virtual address ffff000fffff1000
Mem abort info:
  ESR = 0x0000000096000045
  EC = 0x25: DABT (current EL), IL = 32 bits
  SET = 0, FnV = 0
  EA = 0, S1PTW = 0
  FSC = 0x05: level 1 translation fault
Data abort info:
  ISV = 0, ISS = 0x00000045
swapper pgtable: 4k pages, 48-bit VAs, pgdp=0000000041a5d000
[ffff000fffff1000] pgd=0000000000000000, p4d=0000000000000000
Internal error: Oops: 0000000096000045 [#1] PREEMPT SMP
pstate: 60400005 (nZCv daif +PAN -UAO -TCO BTYPE=--)
pc : memset+0x16c/0x188
"""


def test_an_oops_of_linux(fhsim, tmp_path):
    report = one_report(fhsim, tmp_path, OOPS)
    assert values(report)["ESR"] == values(report)["Oops"] == 0x96000045
    sentence = said(report, "together")["abort"]
    assert "virtual address 0xffff000fffff1000" in sentence
    assert "stage 1 has no valid descriptor" in sentence
    assert "isv" not in said(report, "notes"), "nobody emulates a kernel's own access"
    assert field(report, "pstate", "M") == "EL1h"


def quoted(text, width=60):
    """As a mail program wraps and quotes it."""
    lines = []
    for line in text.splitlines():
        words, row = line.split(" "), ""
        for word in words:
            if row and len(row) + 1 + len(word) > width:
                lines.append(row)
                row = word
            else:
                row = f"{row} {word}" if row else word
        lines.append(row)
    return "".join(f"> > {line}\n" for line in lines)


def without_places(found):
    for report in found:
        report.pop("line")
        for value in report["values"]:
            value.pop("line"), value.pop("column")
    return found


@pytest.mark.parametrize("text", [OOPS, SMMU])
def test_wrapping_and_quoting_change_nothing(fhsim, tmp_path, text):
    plain = without_places(reports(fhsim, tmp_path, text))
    assert without_places(reports(fhsim, tmp_path, quoted(text))) == plain


@pytest.mark.parametrize(
    "text, name, value",
    [
        # QEMU: class and syndrome
        ("...with ESR 0x24/0x93830045\n", "ESR", 0x93830045),
        # Jailhouse: class, IL and ISS
        (" sp: ffffffc009e5bb80  esr: 24 1 1830045\n", "esr", 0x93830045),
        # KVM's panic at EL2, hexadecimal without 0x
        ("PS:600003c9 PC:0000aaaa00001234 ESR:96000006\n", "ESR", 0x96000006),
        # Xen's dump of registers
        ("(XEN)   ESR_EL2: 96000044\n", "ESR_EL2", 0x96000044),
        ("(XEN) VTCR_EL2: 80043594\n", "VTCR_EL2", 0x80043594),
        ("(XEN) Hypervisor Trap. HSR=0x96000044 EC=0x25 IL=1 Syndrome=0x44\n", "HSR", 0x96000044),
        # seL4, and a monitor on it
        ("vm fault on data at address 0x10 with status 0x92000044\n", "status", 0x92000044),
        ("read fault PC: 0x4047e1b4 IPA: 0x3ff00000, FSR: 0x93830007\n", "FSR", 0x93830007),
        # Hafnium
        ("ERROR: Data abort: pc=0x40001234, esr=0x96000007, ec=0x25\n", "esr", 0x96000007),
        # Linux
        ("Bad mode in Synchronous Abort handler detected on CPU2, code 0x8600000f -- IABT\n",
         "code", 0x8600000F),
        ("Unhandled fault: alignment fault (0x96000021) at 0xffff800010005001\n",
         "fault", 0x96000021),
        ("Internal error: synchronous external abort: 96000210 [#1] SMP\n", "Oops", 0x96000210),
        # ftrace
        ("kvm_guest_fault: ipa 0x9000000, hsr 0x93810046, hxfar 0xff, pc 0xffff800010345678\n",
         "hsr", 0x93810046),
        ("kvm_exit: TRAP: HSR_EC: 0x0024 (DABT_LOW), PC: 0xffff800010345678\n", "HSR_EC", 0x24),
        # firmware
        ('"Synchronous Abort" handler, esr 0x96000210, far 0x8000000\n', "esr", 0x96000210),
        ("esr_el3            = 0x000000005e000000\n", "esr_el3", 0x5E000000),
        # a debugger
        ("vcpu->arch.fault.esr_el2 = 0x93830045\n", "esr_el2", 0x93830045),
        ("(gdb) p/x $ESR_EL2\n$1 = 0x1\nESR_EL2\t0x93830045\n", "ESR_EL2", 0x93830045),
        ('{"esr": "0x93830045", "far": "0x10"}\n', "esr", 0x93830045),
        ("| register | value |\n| ESR_EL2 | 0x9383_0045 |\n", "ESR_EL2", 0x93830045),
        ("Fault { esr_el2: EsrEl2(0x93830045), far: 0x10 }\n", "far", 0x10),
        ("ESR_EL2 (0x93830045) => stage 2\n", "ESR_EL2", 0x93830045),
        ("esr => 0x93830045\n", "esr", 0x93830045),
        ("esr=00000000`93830045\n", "esr", 0x93830045),
        ("$1 = {ESR_EL2 = 2474836037}\n", "ESR_EL2", 0x93830045),
        ("ESR_EL2            93830045\n", "ESR_EL2", 0x93830045),
        # UEFI
        ("  SP 0x000000003FFFEB50  ELR 0x00000000EBE1E89C  SPSR 0x60000209  FPSR 0x00000000\n"
         " ESR 0x9600004F          FAR 0x00000000EBE08910\n\n"
         " ESR : EC 0x25  IL 0x1  ISS 0x0000004F\n", "ESR", 0x9600004F),
        # OP-TEE
        (" esr 0x92000005  ttbr0 0x20000e1bd2000   ttbr1 0x00000000   cidr 0x0\n",
         "ttbr0", 0x20000E1BD2000),
        # colours of a terminal
        ("\x1b[31mESR\x1b[0m = \x1b[1m0x93830045\x1b[0m\n", "ESR", 0x93830045),
    ],
)  # fmt: skip
def test_values_are_found_as_programs_print_them(fhsim, tmp_path, text, name, value):
    found = [
        int(item["value"], 16)
        for report in reports(fhsim, tmp_path, text)
        for item in report["values"]
        if item["name"] == name
    ]
    assert found == [value]


@pytest.mark.parametrize(
    "text",
    [
        "if (far > 0x1000) return; /* so far 0 */\n",
        "esr deadbeef\n",
        "a pc\n0 of them\n",
        "the ESR is read at 0x40\n",
        "par value of 1\n",
        "sp : ffff800010003d50\nx29: ffff800010003d50\n",
        "0x93830045\n",
    ],
)
def test_prose_and_numbers_of_other_names_are_no_values(fhsim, tmp_path, text):
    path = tmp_path / "prose.txt"
    path.write_text(text + "no value here\n")
    result = fhsim("explain", path)
    found = [line.split()[0] for line in result.stdout.splitlines() if line.startswith("  ")]
    assert set(found) <= {"x29"}, result.stdout


def test_a_register_access_that_kvm_does_not_emulate_is_named(fhsim, tmp_path):
    report = one_report(
        fhsim, tmp_path,
        "kvm [99]: Unsupported guest sys_reg access at: ffff800010c7a7b0 [600003c5]\n"
        " { Op0( 3), Op1( 0), CRn(12), CRm( 9), Op2( 0), func_read },\n",
    )  # fmt: skip
    assert text_of(report, "Op0..Op2").startswith("read of ICC_AP1R0_EL1")


def test_a_class_that_is_not_the_syndromes_is_reported(fhsim, tmp_path):
    report = one_report(fhsim, tmp_path, "EC=0x20 xFSC=0x21 ESR_EL2=0x92000061\n")
    assert "0x20 is not the class" in said(report, "together")["disagreement"]


def test_a_storm_of_one_message_is_told_once(fhsim, tmp_path):
    path = tmp_path / "storm.txt"
    line = "(XEN) traps.c:1986:d0v1 HSR=0x93880045 pc=0x7f97b14e70 gva=0x7f7f817000\n"
    path.write_text(line * 30000 + line.replace("45", "47"))
    result = fhsim("explain", path)
    assert result.stdout.count("Together") == 2
    assert "The same 29999 more times, up to line 30000." in result.stdout


def test_text_output_quotes_the_line_and_lists_fields(fhsim, tmp_path):
    path = tmp_path / "pasted.txt"
    path.write_text("noise\nkvm: HSR=0x93830045\x07\n")
    result = fhsim("explain", path)
    lines = result.stdout.splitlines()
    assert lines[0] == f"{path}:2: kvm: HSR=0x93830045 "
    assert any(line.split()[:4] == ["SAS", "23:22", "=", "2"] for line in lines)
    assert max(map(len, lines[1:])) <= 100


def test_input_of_any_bytes_is_survived(fhsim, tmp_path):
    path = tmp_path / "bytes.bin"
    path.write_bytes(bytes(range(256)) * 40 + b"ESR_EL2=0x93830045" + b"\0\xff esr: " + b"f" * 5000)
    result = fhsim("explain", path, "--json")
    assert result.returncode == 0
    assert "0x93830045" in result.stdout


# --- Messages of other forms ---------------------------------------------------------------------


def test_faults_of_two_smmus_are_two_reports(fhsim, tmp_path):
    text = (
        "arm-smmu 5000000.iommu: Unhandled context fault: fsr=0x402, iova=0xffe01000, "
        "fsynr=0x11, cbfrsynra=0x5a1, cb=3\n"
        "arm-smmu 15000000.iommu: FSR    = 00000402 [Format=2 TF], SID=0x8c1\n"
        "arm-smmu 15000000.iommu: FSYNR0 = 00220011 [S1CBNDX=34 WNR PLVL=1]\n"
    )
    first, second = reports(fhsim, tmp_path, text)
    assert values(first)["cbfrsynra"] == 0x5A1 and "SID" not in values(first)
    assert values(second) == {"FSR": 0x402, "SID": 0x8C1, "FSYNR0": 0x220011}


def test_lines_of_one_smmu_are_one_report(fhsim, tmp_path):
    text = (
        "arm-smmu 15000000.iommu: Unhandled context fault: fsr=0x402, iova=0xffe01000, "
        "fsynr=0x220011, cbfrsynra=0x8c1, cb=3\n"
        "arm-smmu 15000000.iommu: FSR    = 00000402 [Format=2 TF], SID=0x8c1\n"
    )
    assert "SID" in values(one_report(fhsim, tmp_path, text))


def test_syndrome_in_brackets_with_the_address_behind(fhsim, tmp_path):
    line = "Unhandled fault: level 2 translation fault (0x92000046) at 0x0000ffff8e2c1000\n"
    report = one_report(fhsim, tmp_path, line)
    assert values(report) == {"fault": 0x92000046, "address": 0xFFFF8E2C1000}
    assert "write" in said(report, "together")["abort"]


@pytest.mark.parametrize("way", ["read", "write"])
def test_traced_access_to_a_system_register(fhsim, tmp_path, way):
    line = f"kvm_sys_access: PC: ffff80000812e0e4 SYS_SOMETHING (3,0,12,12,5) {way}\n"
    report = one_report(fhsim, tmp_path, line)
    assert text_of(report, "Op0..Op2").startswith(f"{way} of ICC_SRE_EL1")


def test_numbers_in_brackets_that_are_no_register(fhsim, tmp_path):
    line = "esr=0x93830045 (3,0,99,12,5) write (1,2,3) read\n"
    assert list(values(one_report(fhsim, tmp_path, line))) == ["esr"]


def test_trap_that_jailhouse_does_not_handle(fhsim, tmp_path):
    text = "esr 0x96000010\n\nFATAL: unhandled trap (exception class 0x25)\nesr: 25 1 0000007\n"
    first, second = reports(fhsim, tmp_path, text)
    assert values(first) == {"esr": 0x96000010}
    assert values(second) == {"exception class": 0x25, "esr": 0x96000007}


def test_message_that_comes_twice_is_told_once(fhsim, tmp_path):
    path = tmp_path / "panic.txt"
    path.write_text("nVHE hyp panic at: foo\nHYP panic:\nPS:204003c9 ESR:f2000800\n")
    result = fhsim("explain", path)
    assert result.stdout.count("took an exception that it has no handler for") == 1
    assert "BUG()" in result.stdout


def test_serror_of_the_implementation_says_nothing_of_the_bus(fhsim):
    notes = said(from_values(fhsim, "esr=0xbf000002"), "notes")
    assert "implementation_defined" in notes and "external" not in notes


# --- Memory of a machine -------------------------------------------------------------------------


@pytest.mark.parametrize("memory, kind", [
    ("0x40000000:0x40000000", "normal"), ("0x80000000:0x1000", "device"),
    ("0x80000000:0x1000,0x40000000:0x200000", "normal")])
def test_a_host_fault_in_the_memory_of_the_machine_maps_normal_memory(fhsim, memory, kind):
    report = from_values(fhsim, "esr=0x93830045", "ipa=0x40100000", "--machine", "sekvm-4.18",
                         "--memory", memory)
    assert f"maps it as {kind} memory" in said(report, "machine")["host_maps"]


@pytest.mark.parametrize("arguments, message", [
    (["--memory", "0x40000000:0x1000"], "needs --machine"),
    (["--machine", "spec", "--memory", "0x40000000"], "must be BASE:SIZE"),
    (["--machine", "spec", "--memory", "0x1000:0x1000,"], "must be BASE:SIZE"),
    (["--machine", "spec", "--memory", "0x1000:0x12"], "cannot have this memory")])
def test_memory_that_cannot_be(fhsim, arguments, message):
    result = fhsim("explain", "esr=0x93830045", *arguments)
    assert result.returncode == 2 and message in result.stderr and not result.stdout
